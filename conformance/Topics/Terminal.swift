let terminal = Topic("terminal") { _ in }
