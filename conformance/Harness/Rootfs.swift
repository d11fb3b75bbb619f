/// The root filesystem of the cases: a static busybox and the directories a container needs.

import Foundation

enum Rootfs {
    static let busybox = ["/bin/busybox", "/usr/bin/busybox"]

    /// Builds the tree once; cases get hard links of it.
    static func build(at path: String) throws {
        let files = FileManager.default
        for name in ["bin", "dev", "etc", "home", "proc", "root", "run", "sbin", "sys", "tmp", "usr/bin", "usr/sbin", "var"] {
            try files.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
        }
        guard let source = busybox.first(where: { files.isExecutableFile(atPath: $0) }) else {
            throw Complaint("no /bin/busybox: install busybox-static")
        }
        try files.copyItem(atPath: source, toPath: "\(path)/bin/busybox")
        let children = Children()
        let list = "\(Isolation.scratch)/applets"
        _ = try children.wait(
            for: children.start(Launch(arguments: [source, "--list"], output: list)), until: Deadline(seconds: 10), "busybox")
        for applet in try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n") where applet != "busybox" {
            try files.createSymbolicLink(atPath: "\(path)/bin/\(applet)", withDestinationPath: "busybox")
        }
        try "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n".write(
            toFile: "\(path)/etc/passwd", atomically: false, encoding: .utf8)
        try "root:x:0:\nuser:x:1000:\n".write(toFile: "\(path)/etc/group", atomically: false, encoding: .utf8)
        chmod("\(path)/tmp", 0o1777)
    }
}
