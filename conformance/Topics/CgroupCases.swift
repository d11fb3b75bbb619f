let cgroups = Topic("cgroups") { _ in }
