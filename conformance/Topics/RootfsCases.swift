let rootfs = Topic("rootfs") { _ in }
