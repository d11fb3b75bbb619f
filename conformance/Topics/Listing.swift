/// The list of containers, and the processes of one.

import Foundation

let listing = Topic("list") { topic in
    topic.claim("list shows every container, sorted by id", rows: ["CLI-11"]) { lab in
        let boxes = try (0..<3).map { _ in try lab.container() }
        for box in boxes.reversed() { try box.created() }
        let ids = boxes.map(\.id).sorted()
        try equal(try lab.run(["list", "-q"]).lines, ids, "list -q")
        let table = try lab.run(["list"])
        try equal(table.lines.count, 4, "lines of list")
        try equal(table.lines.dropFirst().map { String($0.prefix { $0 != " " }) }, ids, "first column of list")
        let json = try lab.run(["list", "--format", "json"])
        let entries = try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [Object] ?? []
        try equal(entries.map { $0["id"] as? String ?? "" }, ids, "list --format json")
        try equal(Set(entries.map { $0["status"] as? String ?? "" }), ["created"], "statuses")
    }

    topic.claim("list with nothing to show is empty", rows: ["CLI-11"]) { lab in
        try FileManager.default.createDirectory(atPath: lab.stateRoot, withIntermediateDirectories: true)
        try equal(try lab.run(["list", "-q"]).out, "", "list -q")
        let json = try lab.run(["list", "--format", "json"])
        try equal(json.status, 0, "status")
        try expect(["null", "[]"].contains(json.out.filter { !$0.isWhitespace }), "json: \(json.out)")
    }

    for format in ["yaml", "", "JSON"] {
        topic.claim("list and ps refuse the format \(format.debugDescription)", rows: ["CLI-10", "CLI-11"], commands: ["ps"]) { lab in
            let box = try lab.runningContainer()
            for words in [["list", "--format", format], ["ps", "--format", format, box.id]] {
                let outcome = try lab.run(words)
                try equal(outcome.status, 1, "status of \(words)")
                try contains(outcome.err, "invalid format option", "message of \(words)")
            }
        }
    }

    topic.claim("list goes on past what is no container", rows: ["CLI-11"]) { lab in
        let box = try lab.runningContainer()
        for name in ["half-made", "foreign"] {
            try FileManager.default.createDirectory(atPath: "\(lab.stateRoot)/\(name)", withIntermediateDirectories: true)
        }
        try "{".write(toFile: "\(lab.stateRoot)/foreign/record.json", atomically: false, encoding: .utf8)
        let outcome = try lab.run(["list", "-q"])
        try equal(outcome.status, 0, "status")
        try expect(outcome.lines.contains(box.id), "the container is missing: \(outcome.out)")
    }

    topic.claim("list while containers come and go never fails", rows: ["CLI-11"]) { lab in
        let box = try lab.container()
        let script = "for i in 1 2 3 4 5 6; do \(lab.runtime.path) --root \(lab.stateRoot) run --bundle \(box.bundle) come-$i; done"
        let pid = try lab.children.start(Launch(arguments: ["sh", "-c", script]))
        while !lab.children.hasEnded(pid) {
            // Without a single container yet there may be no state root.
            guard FileManager.default.fileExists(atPath: lab.stateRoot) else { continue }
            for words in [["list"], ["list", "-q"], ["list", "--format", "json"]] {
                let outcome = try lab.run(words)
                try equal(outcome.status, 0, "status of \(words) (\(outcome.err))")
            }
        }
        try equal(try lab.children.wait(for: pid, until: lab.deadline, "the runs"), 0, "status of the runs")
    }

    topic.claim("ps shows the container's processes and no other, with options of ps", rows: ["CLI-10"], commands: ["ps"]) { lab in
        let box = try lab.container("sleep 100 & exec sleep 100")
        try box.up()
        try lab.eventually("two sleeps") { try lab.run(["ps", box.id]).lines.filter { $0.hasSuffix("sleep 100") }.count == 2 }
        let table = try lab.run(["ps", box.id]).lines
        try equal(table[0].split(separator: " ").prefix(2).map(String.init), ["UID", "PID"], "header")
        let pids = try JSONSerialization.jsonObject(with: Data(try lab.run(["ps", "--format", "json", box.id]).out.utf8)) as? [Int32] ?? []
        try equal(pids.count, table.count - 1, "processes")
        try expect(pids.contains(try box.pid()), "the first process is missing")
        let short = try lab.run(["ps", box.id, "-e", "-o", "pid,comm"])
        try equal(short.lines[0].split(separator: " ").map(String.init), ["PID", "COMMAND"], "header with options")
    }

    topic.claim("ps of a container that has ended shows the header only", rows: ["CLI-10"], commands: ["ps"]) { lab in
        let box = try lab.container()
        try box.up()
        try box.stopped()
        let outcome = try lab.run(["ps", box.id])
        try equal(outcome.status, 0, "status (\(outcome.err))")
        try equal(outcome.lines.count, 1, "lines: \(outcome.out)")
        try contains(outcome.out, "PID", "header")
    }
}
