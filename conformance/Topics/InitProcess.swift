let initProcess = Topic("initProcess") { _ in }
