/// The host's cgroup hierarchies, whatever their layout.

import Foundation

enum Cgroups {
    /// A mounted hierarchy: its directory, and its controllers (none for the unified one).
    struct Hierarchy {
        let directory: String
        let controllers: Set<String>
        let unified: Bool

        /// Whether it has a controller.
        func has(_ controller: String) -> Bool {
            guard unified else { return controllers.contains(controller) }
            let names = (try? String(contentsOfFile: "\(directory)/cgroup.controllers", encoding: .utf8)) ?? ""
            return names.split(whereSeparator: \.isWhitespace).contains(Substring(controller))
        }
    }

    /// What is mounted in the suite's mount namespace.
    static let hierarchies: [Hierarchy] = {
        let lines = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        return lines.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ").map(String.init)
            guard let dash = fields.firstIndex(of: "-"), fields[dash + 1].hasPrefix("cgroup") else { return nil }
            let unified = fields[dash + 1] == "cgroup2"
            let options = Set(fields[dash + 3].split(separator: ",").map(String.init))
            return Hierarchy(directory: fields[4], controllers: unified ? [] : options, unified: unified)
        }
    }()

    /// Whether controllers live in the unified hierarchy.
    static var isUnified: Bool { hierarchies.allSatisfy(\.unified) }

    /// The directories that exist for a cgroup path.
    static func existing(_ path: String) -> [String] {
        hierarchies.map { $0.directory + path }.filter { FileManager.default.fileExists(atPath: $0) }
    }

    /// Skips the case where containers' cgroups have no paths but scopes.
    static func requirePaths() throws {
        if Isolation.usesSystemd { throw Skip("systemd's scopes have no paths of our choice") }
    }

    /// Skips the case where this host's layout has no such controller.
    static func require(_ controller: String) throws {
        if !hierarchies.contains(where: { $0.has(controller) }) { throw Skip("no \(controller) controller in this cgroup layout") }
    }

    /// Whether limits of a controller are in the unified hierarchy, be it alone or beside v1 hierarchies.
    static func isUnified(_ controller: String) -> Bool { hierarchies.first { $0.has(controller) }?.unified ?? isUnified }

    /// The directory of a process's cgroup where a controller is, or where it would be.
    static func directory(of pid: pid_t, controller: String) throws -> String {
        let wanted = hierarchies.first { isUnified ? $0.unified : $0.has(controller) }
        guard let hierarchy = wanted else { throw Skip("no \(controller) controller in this cgroup layout") }
        return try directory(of: pid, in: hierarchy)
    }

    /// The directory of a process's cgroup in a hierarchy.
    static func directory(of pid: pid_t, in hierarchy: Hierarchy) throws -> String {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/cgroup", encoding: .utf8)) ?? ""
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            let held = Set(fields[1].split(separator: ",").map(String.init))
            if hierarchy.unified ? fields[0] == "0" : !held.isEmpty && held.isSubset(of: hierarchy.controllers) {
                return hierarchy.directory + fields[2]
            }
        }
        throw Failure(message: "process \(pid) is in no cgroup of \(hierarchy.directory): \(text)")
    }

    /// The directories whose name carries the run's token, and those below them, in every hierarchy, deepest first.
    static func marked(by token: String) -> [String] {
        hierarchies.flatMap { hierarchy in
            descendants(of: hierarchy.directory).filter { path in
                path.dropFirst(hierarchy.directory.count).split(separator: "/").contains { $0.hasPrefix(token) }
            }
        }
    }

    /// Thaws what a runtime left frozen: a process in there would not even end by SIGKILL in v1.
    static func thaw(_ directories: [String]) {
        for directory in directories {
            for (file, value) in [("freezer.state", "THAWED"), ("cgroup.freeze", "0")] {
                let descriptor = open("\(directory)/\(file)", O_WRONLY)
                guard descriptor >= 0 else { continue }
                _ = value.withCString { write(descriptor, $0, strlen($0)) }
                close(descriptor)
            }
        }
    }

    /// The directories below a directory, deepest first.
    static func descendants(of directory: String) -> [String] {
        guard let handle = opendir(directory) else { return [] }
        defer { closedir(handle) }
        var found: [String] = []
        while let entry = readdir(handle) {
            guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            found += descendants(of: "\(directory)/\(name)") + ["\(directory)/\(name)"]
        }
        return found
    }
}
