/// Network devices of the host that move into a container: names, addresses, state, and what a failed create leaves.

import Foundation

extension Lab {
    /// One end of a new pair of devices on the runtime's side, down and without an address.
    func device(_ name: String, in namespace: String? = nil) throws {
        let words = (namespace.map { ["-n", $0] } ?? []) + ["link", "add", name, "type", "veth", "peer", "name", "\(name)p"]
        let outcome = try execute(Launch(arguments: ["ip"] + words))
        if outcome.status != 0 { throw Skip("no veth devices on this kernel: \(outcome.err)") }
        later { [weak self] in _ = try? self?.command("ip", "link", "delete", "\(name)p") }
    }

    /// What `ip` says of a device on the runtime's side; empty where there is none.
    func shown(_ name: String) throws -> String { try execute(Launch(arguments: ["ip", "addr", "show", "dev", name])).out }
}

let networkDevices = Topic("netdevices") { topic in
    topic.claim(
        "a network device is moved, renamed, up, and keeps its attributes and addresses", rows: ["W-01", "W-03", "W-04", "W-05"],
        since: "1.3.0"
    ) { lab in
        try lab.device("cfdev0")
        try lab.command("ip", "addr", "add", "10.77.0.5/24", "brd", "+", "dev", "cfdev0")
        try lab.command("ip", "addr", "add", "10.77.0.6/24", "dev", "cfdev0", "label", "cfdev0:six")
        try lab.command("ip", "addr", "add", "10.78.0.1", "peer", "10.78.0.2/32", "dev", "cfdev0")
        try lab.command("ip", "-6", "addr", "add", "fd00:77::5/64", "dev", "cfdev0")
        try lab.command("ip", "link", "set", "cfdev0", "mtu", "1400", "address", "02:00:00:00:00:07", "txqueuelen", "77")
        let box = try lab.container("ip addr show eth7; ip addr show cfdev0 2>/dev/null && echo still there; true") {
            $0["/linux/netDevices"] = ["cfdev0": ["name": "eth7"]]
        }
        let text = try box.printed()
        let parts = [
            "10.77.0.5/24 brd 10.77.0.255 scope global eth7", "10.77.0.6/24", "10.78.0.1 peer 10.78.0.2/32", "fd00:77::5/64", "mtu 1400",
            "02:00:00:00:00:07", "UP", "qlen 77",
        ]
        for part in parts { try contains(text, part, "ip addr") }
        try expect(!text.contains("still there"), "the device has its old name as well")
    }

    topic.claim("addresses that are not permanent and global stay behind", rows: ["W-04"], since: "1.3.0") { lab in
        try lab.device("cfdev1")
        try lab.command("ip", "addr", "add", "10.77.1.5/24", "dev", "cfdev1")
        try lab.command("ip", "addr", "add", "10.77.1.6/24", "scope", "link", "dev", "cfdev1")
        try lab.command("ip", "addr", "add", "10.77.1.7/24", "dev", "cfdev1", "valid_lft", "1000", "preferred_lft", "900")
        let text = try lab.container("ip addr show cfdev1") { $0["/linux/netDevices"] = ["cfdev1": [:] as Object] }.printed()
        try contains(text, "10.77.1.5/24", "ip addr")
        for address in ["10.77.1.6", "10.77.1.7"] { try expect(!text.contains(address), "\(address) came along: \(text)") }
    }

    topic.claim("a network device keeps its name where none is given", rows: ["W-01", "W-03"], since: "1.3.0") { lab in
        try lab.device("cfdev2")
        let box = try lab.container("ip link show cfdev2") { $0["/linux/netDevices"] = ["cfdev2": [:] as Object] }
        try contains(try box.printed(), "cfdev2", "ip link")
        try equal(try lab.shown("cfdev2"), "", "the device on the host")
    }

    topic.claim("%d in a name stands for the lowest free number", rows: ["W-03"], since: "1.3.0") { lab in
        let namespace = try lab.netns()
        try lab.device("eth0", in: namespace)
        try lab.device("cfdev3")
        let box = try lab.container("ls /sys/class/net | tr '\\n' ' '") {
            $0["/linux/netDevices"] = ["cfdev3": ["name": "eth%d"]]
            $0.join("network", "/run/netns/\(namespace)")
        }
        try contains(try box.printed(), "eth0 eth0p eth1 lo", "devices")
        try lab.command("ip", "-n", namespace, "link", "delete", "eth1")
    }

    for (name, why) in [("lo", "taken in a new namespace"), ("sixteen-bytes-xy", "too long"), ("a/b", "no name"), ("a b", "no name")] {
        topic.claim("the name \(name), which is \(why), is refused", rows: ["W-02", "W-03"], since: "1.3.0") { lab in
            try lab.device("cfdev4")
            try lab.container { $0["/linux/netDevices"] = ["cfdev4": ["name": name]] }.refused()
            try expect(try !lab.shown("cfdev4").isEmpty, "the device is gone from the host")
        }
    }

    topic.claim("a network device that is not there is refused", rows: ["W-02"], since: "1.3.0") { lab in
        try lab.container { $0["/linux/netDevices"] = ["cfdev5": [:] as Object] }.refused("cfdev5")
    }

    topic.claim("network devices without a network namespace of its own are refused", rows: ["W-01"], since: "1.3.0") { lab in
        try lab.device("cfdev6")
        try lab.container {
            $0["/linux/netDevices"] = ["cfdev6": ["name": "eth0"]]
            $0.share("network")
            $0.inheritSys()
        }.refused()
        try expect(try !lab.shown("cfdev6").isEmpty, "the device is gone from the host")
    }

    topic.claim("network devices with the runtime's own network namespace by path are refused", rows: ["W-01", "SY-03"], since: "1.3.0") {
        lab in
        try lab.device("cfdev7")
        try lab.container {
            $0["/linux/netDevices"] = ["cfdev7": ["name": "eth0"]]
            $0.join("network", "/proc/self/ns/net")
            $0.inheritSys()
        }.refused()
        try expect(try !lab.shown("cfdev7").isEmpty, "the device is gone from the host")
    }

    // The first device moves before the second one fails; a hook fails after both have moved.
    for (name, second, hook) in [("the next device is missing", true, false), ("a hook fails", false, true)] {
        topic.claim("where \(name), a moved device is back as it was", rows: ["W-04", "W-06", "LC-15"], since: "1.3.0") { lab in
            try lab.device("cfdev8")
            try lab.command("ip", "addr", "add", "10.77.8.5/24", "dev", "cfdev8")
            try lab.command("ip", "link", "set", "cfdev8", "up")
            let before = try lab.shown("cfdev8").split(separator: "\n").filter { $0.contains("10.77") }
            let box = try lab.container {
                $0["/linux/netDevices"] = second ? ["cfdev8": ["name": "eth0"], "cfdev9": [:] as Object] : ["cfdev8": ["name": "eth0"]]
                if hook { $0["/hooks"] = ["createContainer": [["path": "/bin/false"] as Object]] }
            }
            try box.refused()
            let after = try lab.shown("cfdev8")
            try equal(after.split(separator: "\n").filter { $0.contains("10.77") }, before, "addresses")
            try contains(after, "UP", "state")
        }
    }

    topic.claim("createRuntime hooks find the device in the container", rows: ["W-01", "H-03"], since: "1.3.0") { lab in
        try lab.device("cfdeva")
        let seen = lab.fresh("seen")
        let script = "pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/'); nsenter -t $pid -n ip link show eth5 >\(seen) 2>&1"
        let box = try lab.container {
            $0["/linux/netDevices"] = ["cfdeva": ["name": "eth5"]]
            $0["/hooks"] = [
                "createRuntime": [["path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]]]
            ]
        }
        _ = try box.printed()
        try contains(lab.read(seen), "UP", "what the hook saw")
    }

    topic.claim("a sysctl may name the device as it is called in the container", rows: ["W-03", "SY-01"], since: "1.3.0") { lab in
        try lab.device("cfdevb")
        let box = try lab.container("cat /proc/sys/net/ipv4/conf/eth6/arp_ignore") {
            $0["/linux/netDevices"] = ["cfdevb": ["name": "eth6"]]
            $0["/linux/sysctl"] = ["net.ipv4.conf.eth6.arp_ignore": "2"]
        }
        try equal(try box.printed(), "2", "arp_ignore")
    }
}
