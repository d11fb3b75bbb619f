let process = Topic("process") { _ in }
