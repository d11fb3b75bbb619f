let hooks = Topic("hooks") { _ in }
