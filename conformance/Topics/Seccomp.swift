let seccomp = Topic("seccomp") { _ in }
