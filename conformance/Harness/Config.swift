/// A config.json in the making: a base that any runtime accepts, changed by JSON pointer.

import Foundation

typealias Object = [String: Any]

struct Config {
    private(set) var root: Object

    /// The value at a JSON pointer; setting nil removes it, and missing objects on the way are made.
    subscript(pointer: String) -> Any? {
        get {
            pointer.split(separator: "/").reduce(root as Any?) { node, key in
                if let list = node as? [Any] { return Int(key).map { list[$0] } }
                return (node as? Object)?[Self.plain(key)]
            }
        }
        set { root = Self.change(root, pointer.split(separator: "/")[...], to: newValue) as! Object }
    }

    /// Adds an element at the end of the list at a JSON pointer.
    mutating func append(_ pointer: String, _ element: Any) {
        self[pointer] = (self[pointer] as? [Any] ?? []) + [element]
    }

    /// Adds a mount at the end.
    mutating func mount(_ destination: String, type: String? = nil, source: String? = nil, _ options: [String] = []) {
        var mount: Object = ["destination": destination, "options": options]
        mount["type"] = type
        mount["source"] = source
        append("/mounts", mount)
    }

    /// Removes the namespace of a type, so that the runtime's own is inherited.
    mutating func share(_ type: String) {
        self["/linux/namespaces"] = (self["/linux/namespaces"] as! [Object]).filter { $0["type"] as? String != type }
    }

    /// Asks for the namespace at a path instead of a new one.
    mutating func join(_ type: String, _ path: String) {
        share(type)
        append("/linux/namespaces", ["type": type, "path": path])
    }

    /// What the container runs, as a shell script.
    mutating func script(_ text: String) { self["/process/args"] = ["sh", "-c", text] }

    var bytes: Data { (try? JSONSerialization.data(withJSONObject: root, options: [.prettyPrinted, .sortedKeys])) ?? Data() }

    private static func plain(_ key: Substring) -> String {
        key.replacingOccurrences(of: "~1", with: "/").replacingOccurrences(of: "~0", with: "~")
    }

    private static func change(_ node: Any?, _ keys: ArraySlice<Substring>, to value: Any?) -> Any? {
        guard let key = keys.first else { return value }
        if var list = node as? [Any] {
            let index = Int(key)!
            list[index] = change(list[index], keys.dropFirst(), to: value)!
            return list
        }
        var object = node as? Object ?? [:]
        object[plain(key)] = change(object[plain(key)], keys.dropFirst(), to: value)
        return object
    }
}

extension Config {
    static let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

    /// A small, complete container: six new namespaces, the usual mounts, no terminal, no limits.
    static func base(cgroupsPath: String) -> Config {
        let caps = capabilities
        let types = ["pid", "network", "ipc", "uts", "mount", "cgroup"]
        return Config(root: [
            "ociVersion": "1.0.0",
            "process": [
                "terminal": false,
                "user": ["uid": 0, "gid": 0],
                "args": ["true"],
                "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
                "cwd": "/",
                "capabilities": ["bounding": caps, "effective": caps, "permitted": caps],
                "noNewPrivileges": true,
            ] as Object,
            "root": ["path": "rootfs", "readonly": false] as Object,
            "hostname": "conformance",
            "mounts": [
                ["destination": "/proc", "type": "proc", "source": "proc"] as Object,
                fs("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
                fs("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
                fs("/dev/shm", "tmpfs", ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
                fs("/dev/mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
                fs("/sys", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
            ],
            "linux": [
                "cgroupsPath": cgroupsPath,
                "namespaces": types.map { ["type": $0] as Object },
                "resources": ["devices": [["allow": false, "access": "rwm"] as Object]] as Object,
                "maskedPaths": ["/proc/kcore", "/proc/keys"],
                "readonlyPaths": ["/proc/sys", "/proc/irq"],
            ] as Object,
        ])
    }

    private static func fs(_ destination: String, _ type: String, _ options: [String]) -> Object {
        ["destination": destination, "type": type, "source": type, "options": options]
    }
}
