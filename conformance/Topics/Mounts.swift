let mounts = Topic("mounts") { _ in }
