let configErrors = Topic("configErrors") { _ in }
