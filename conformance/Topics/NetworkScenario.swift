/// Network devices in use: containers on a bridge, and what becomes of a device when its container goes. Rows W.

import Foundation

extension Lab {
    /// A bridge on the runtime's side.
    fileprivate func bridge(_ name: String, _ address: String) throws {
        let outcome = try execute(Launch(arguments: ["ip", "link", "add", name, "type", "bridge"]))
        if outcome.status != 0 { throw Skip("no bridges on this kernel: \(outcome.err)") }
        later { [weak self] in _ = try? self?.command("ip", "link", "delete", name) }
        try command("ip", "addr", "add", address, "dev", name)
        try command("ip", "link", "set", name, "up")
    }

}

let networkScenario = Topic("network scenario") { topic in
    topic.claim(
        "two containers on a bridge of the host reach each other and the host by devices of the config",
        rows: ["W-01", "W-03", "W-04", "W-05"],
        since: "1.3.0"
    ) { lab in
        try lab.bridge("cfbr0", "10.88.0.1/24")
        for number in [1, 2] {
            try lab.device("cfv\(number)")
            try lab.command("ip", "link", "set", "cfv\(number)p", "master", "cfbr0", "up")
            try lab.command("ip", "addr", "add", "10.88.0.1\(number)/24", "dev", "cfv\(number)")
            try lab.command("ip", "-6", "addr", "add", "fd00:88::1\(number)/64", "dev", "cfv\(number)", "nodad")
        }
        func container(_ number: Int, _ script: String) throws -> Container {
            try lab.container(script) {
                $0["/linux/netDevices"] = ["cfv\(number)": ["name": "eth0"]]
                $0.grant(["CAP_NET_RAW"])
            }
        }
        let server = try container(1, "echo ready; exec sleep 100")
        try server.up()
        try server.writes("ready")
        let words = ["10.88.0.11", "10.88.0.1", "fd00:88::11"]
        let client = try container(2, words.map { "ping -c 1 -W 5 \($0) >/dev/null && echo \($0)" }.joined(separator: "; "))
        try equal(try client.printed(), words.joined(separator: "\n"), "who answered")
        // The kernel ends a virtual device with its namespace, and the other end of a pair with it.
        try lab.eventually("the end of the client's pair") { try lab.shown("cfv2p").isEmpty }
        try expect(try !lab.shown("cfv1p").isEmpty && !lab.shown("cfbr0").isEmpty, "the server's pair or the bridge is gone as well")
        _ = try server.delete("--force")
        try lab.eventually("the end of the server's pair") { try lab.shown("cfv1p").isEmpty }
    }

    for (name, words) in [("dummy", ["type", "dummy"]), ("macvlan", ["link", "cfpar", "type", "macvlan"])] {
        topic.claim("a \(name) moves into the container as well", rows: ["W-01", "W-05"], since: "1.3.0") { lab in
            if name == "macvlan" { try lab.device("cfpar") }
            let outcome = try lab.execute(Launch(arguments: ["ip", "link", "add", "cfdum"] + words))
            if outcome.status != 0 { throw Skip("no \(name) on this kernel: \(outcome.err)") }
            lab.later { _ = try? lab.execute(Launch(arguments: ["ip", "link", "delete", "cfdum"])) }
            try lab.command("ip", "addr", "add", "10.89.0.5/24", "dev", "cfdum")
            let box = try lab.container("ip addr show eth9") { $0["/linux/netDevices"] = ["cfdum": ["name": "eth9"]] }
            let text = try box.printed()
            for part in ["10.89.0.5/24", "UP"] { try contains(text, part, "ip addr") }
        }
    }

    topic.claim("a device in a namespace that others keep stays there when the container goes", rows: ["W-06", "OP-05"], since: "1.3.0") {
        lab in
        let namespace = try lab.netns()
        try lab.device("cfkeep")
        let box = try lab.container {
            $0["/linux/netDevices"] = ["cfkeep": [:] as Object]
            $0.join("network", "/run/netns/\(namespace)")
        }
        _ = try box.printed()
        try equal(try lab.shown("cfkeep"), "", "the device on the host")
        try contains(try lab.command("ip", "-n", namespace, "link", "show", "cfkeep").out, "UP", "the device in the namespace")
    }

    topic.claim("a name that is taken in a joined namespace is refused, and the device stays", rows: ["W-03", "LC-15"], since: "1.3.0") {
        lab in
        let namespace = try lab.netns()
        try lab.device("eth0", in: namespace)
        try lab.device("cftake")
        try lab.container {
            $0["/linux/netDevices"] = ["cftake": ["name": "eth0"]]
            $0.join("network", "/run/netns/\(namespace)")
        }.refused("eth0")
        try expect(try !lab.shown("cftake").isEmpty, "the device is gone from the host")
    }

    topic.claim("two devices that want one name are refused, and both stay", rows: ["W-03", "LC-15"], since: "1.3.0") { lab in
        for name in ["cfone", "cftwo"] { try lab.device(name) }
        try lab.container { $0["/linux/netDevices"] = ["cfone": ["name": "eth0"], "cftwo": ["name": "eth0"]] }.refused("eth0")
        for name in ["cfone", "cftwo"] { try expect(try !lab.shown(name).isEmpty, "\(name) is gone from the host") }
    }

    topic.claim("two devices may share a template", rows: ["W-03"], since: "1.3.0") { lab in
        for name in ["cfone", "cftwo"] { try lab.device(name) }
        let box = try lab.container("ls /sys/class/net | grep -v p$ | tr '\\n' ' '") {
            $0["/linux/netDevices"] = ["cfone": ["name": "data%d"], "cftwo": ["name": "data%d"]]
        }
        try equal(try box.printed().trimmingCharacters(in: .whitespaces), "data0 data1 lo", "devices")
    }

    for (device, what) in [("lo", "loopback"), ("cfloc", "a bridge")] {
        topic.claim("\(what), which cannot move, is refused and stays", rows: ["W-01", "W-02"], since: "1.3.0") { lab in
            if device == "cfloc" { try lab.bridge(device, "10.90.0.1/24") }
            let before = try lab.shown(device)
            try lab.container { $0["/linux/netDevices"] = [device: ["name": "eth0"]] }.refused(device)
            try equal(try lab.shown(device), before, "the device on the host")
        }
    }

    topic.claim(
        "a container that fails before its start gives its devices back with name, state and addresses", rows: ["W-04", "LC-15"],
        since: "1.3.0"
    ) {
        lab in
        try lab.device("cfback")
        try lab.command("ip", "link", "set", "cfback", "mtu", "1234", "up")
        try lab.command("ip", "addr", "add", "10.91.0.5/24", "dev", "cfback")
        let box = try lab.container {
            $0["/linux/netDevices"] = ["cfback": ["name": "eth0"]]
            $0["/process/args"] = ["/no/such/program"]
        }
        try box.refused()
        let text = try lab.shown("cfback")
        for part in ["mtu 1234", "UP", "10.91.0.5/24"] { try contains(text, part, "ip addr") }
    }
}
