/// Races that a neighbour with a shared volume could run: a path that changes between a look and its use.
///
/// A process on the host swaps two names as fast as it can while containers are created over them; nothing may ever appear outside.

import Foundation

/// What is swapped with a link to the outside, and the weakness.
private struct Swap: Sendable {
    let claim: String
    let weakness: String
    /// The name below the root that is a directory one moment, a link the next.
    let path: String
    let change: @Sendable (inout Config) -> Void
}

private let swaps: [Swap] = [
    Swap(claim: "a mount's target", weakness: "CVE-2021-30465", path: "/vol/target") {
        $0.mount("/vol/target", type: "tmpfs", source: "tmpfs")
    },
    Swap(claim: "a directory above a target that is made", weakness: "CVE-2024-45310", path: "/vol/target") {
        $0.mount("/vol/target/made/deep", type: "tmpfs", source: "tmpfs")
    },
    Swap(claim: "a bind's target file", weakness: "CVE-2019-18837", path: "/vol/target") {
        $0.mount("/vol/target/made", source: "/bin/busybox", ["bind"])
    },
    Swap(claim: "a device's directory", weakness: "CVE-2026-41579", path: "/vol/target") {
        $0["/linux/devices"] = [["path": "/vol/target/device", "type": "c", "major": 1, "minor": 3] as Object]
    },
    Swap(claim: "a masked and a read-only path", weakness: "CVE-2025-31133", path: "/vol/target") {
        $0["/linux/maskedPaths"] = ["/vol/target", "/vol/target/secret"]
        $0["/linux/readonlyPaths"] = ["/vol/target/file"]
    },
    Swap(claim: "the working directory", weakness: "CVE-2024-21626", path: "/vol/target") { $0["/process/cwd"] = "/vol/target/made" },
    Swap(claim: "a directory copied up", weakness: "CVE-2015-3627", path: "/vol/target/inner") {
        $0.mount("/vol/target", type: "tmpfs", source: "tmpfs", ["tmpcopyup"])
    },
    Swap(claim: "/proc", weakness: "CVE-2019-19921", path: "/proc") { _ in },
    Swap(claim: "/dev", weakness: "CVE-2026-47766", path: "/dev") { config in
        config["/mounts"] = (config["/mounts"] as! [Object]).filter { !($0["destination"] as! String).hasPrefix("/dev") }
    },
]

/// renameat2(2), which no Swift module has.
private typealias RenameAt2 = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32

/// Swaps two names by renameat2(2) until it is told to stop.
private final class Swapper: @unchecked Sendable {
    private var isOver = false
    private var rounds = 0
    private let thread: Thread
    private let done = DispatchSemaphore(value: 0)

    init(_ one: String, _ other: String) {
        final class Box: @unchecked Sendable { weak var swapper: Swapper? }
        let box = Box()
        let done = done
        let rename = unsafeBitCast(dlsym(nil, "renameat2"), to: RenameAt2.self)
        thread = Thread {
            // RENAME_EXCHANGE 2
            while let swapper = box.swapper, !swapper.isOver {
                _ = rename(AT_FDCWD, one, AT_FDCWD, other, 2)
                swapper.rounds += 1
            }
            done.signal()
        }
        box.swapper = self
        thread.start()
    }

    /// Stops it; how many times it has swapped.
    func stop() -> Int {
        isOver = true
        done.wait()
        return rounds
    }
}

let races = Topic("races") { topic in
    for swap in swaps {
        topic.claim("\(swap.claim) that is swapped with a link to the outside changes nothing there", rows: [swap.weakness, "M-02"]) {
            lab in
            let outside = try lab.folder(["file": "outside\n", "secret": "outside\n"])
            let box = try lab.container("cat /vol/target/secret 2>/dev/null; true", swap.change)
            let place = box.rootfs + swap.path
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            symlink(outside, "\(place).link")
            lab.limit(seconds: 14)
            let swapper = Swapper(place, "\(place).link")
            let before = try lab.command("sh", "-c", "ls -lnR --time-style=+%s '\(outside)'; cat '\(outside)'/*").out
            var ran = 0
            for _ in 0..<60 {
                let outcome = try box.run()
                if outcome.status == 0 { ran += 1 }
                try expect(!outcome.out.contains("outside"), "the container read what is outside")
                if outcome.status != 0 { try expect(!outcome.err.isEmpty, "it failed without a word") }
            }
            let count = swapper.stop()
            let after = try lab.command("sh", "-c", "ls -lnR --time-style=+%s '\(outside)'; cat '\(outside)'/*").out
            try equal(after, before, "what is outside")
            try expect(count > 60, "only \(count) swaps")
            try expect(!lab.read("/proc/self/mountinfo").contains(outside), "something is mounted outside")
            lab.note("\(ran) of 60 ran, \(count) swaps")
        }
    }
}
