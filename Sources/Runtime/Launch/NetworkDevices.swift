/// Moving network devices of the host into a container, and back where its create fails. Rows W-01 to W-06.

import CLinux
import Linux
import Spec

/// The devices that a container gets.
///
/// From its create on they are the container's: deleting it brings none back (W-06).
final class NetworkDevices {
    private let wanted: [NetDevice]
    private let place: (Origin) -> Failure.Place?
    /// What has been moved so far.
    private var moved: [Moved] = []
    /// The container's network namespace, kept so that devices can come back even when its processes are gone.
    private var namespace: OwnedFD?

    /// A device that left the host.
    private struct Moved {
        var wanted: NetDevice
        /// What it was on the host.
        var before: NetworkDevice
        /// The addresses that go with it.
        var addresses: [NetworkAddress]
        /// What it is called in the container.
        var name: String
    }

    init(_ devices: [NetDevice], place: @escaping (Origin) -> Failure.Place?) {
        wanted = devices
        self.place = place
    }

    /// Moves the devices into the network namespace of a process.
    ///
    /// Where one fails, those before it are put back.
    func move(toNamespaceOf pid: Int32) throws(Failure) {
        guard let first = wanted.first else { return }
        let origin = first.origin
        try reach(origin) { () throws(Errno) in namespace = try OwnedFD.open("/proc/\(pid)/ns/net", .read) }
        let descriptor = namespace?.number ?? -1
        var host = try reach(origin) { () throws(Errno) in try RouteSocket() }
        var inside = try reach(origin) { () throws(Errno) in try RouteSocket(in: descriptor) }
        do throws(Failure) {
            for device in wanted { try move(device, &host, &inside) }
        } catch {
            putBack()
            throw error
        }
    }

    private func reach<Result: ~Copyable>(_ origin: Origin, _ body: () throws(Errno) -> Result) throws(Failure) -> Result {
        do throws(Errno) { return try body() } catch {
            throw Failure("reach the container's network namespace", errno: error, place: place(origin))
        }
    }

    /// Gives the host back what it had: the create has failed.
    func putBack() {
        guard !moved.isEmpty, let descriptor = namespace?.number else { return }
        guard let own = try? OwnedFD.open("/proc/self/ns/net", .read), var host = try? RouteSocket(),
            var inside = try? RouteSocket(in: descriptor)
        else { return }
        // The failure that led here is the one to tell, so nothing here has one of its own.
        for device in moved.reversed() {
            // A move that failed half way may have left the device on either side, or there under its old name.
            if let here = try? host.device(named: device.before.name), here.index == device.before.index { continue }
            guard let there = (try? inside.device(named: device.name)) ?? (try? inside.device(named: device.before.name)) else { continue }
            try? inside.move(there, to: own.number, name: device.before.name)
            guard let back = try? host.device(named: device.before.name) else { continue }
            if device.before.isUp { try? host.setUp(back) }
            for address in device.addresses { try? host.add(address, to: back, oldName: device.before.name) }
        }
        moved = []
    }

    private func move(_ device: NetDevice, _ host: inout RouteSocket, _ inside: inout RouteSocket) throws(Failure) {
        let before: NetworkDevice?
        let addresses: [NetworkAddress]
        let name: String
        do throws(RouteError) {
            before = try host.device(named: device.hostName)
            addresses =
                try before.map { device throws(RouteError) in
                    try host.addresses(of: device).filter { $0.isPermanentAndGlobal }
                } ?? []
            name = try freeName(device.name ?? device.hostName, &inside)
        } catch { throw failure(device, "look at the network device", error) }
        guard let before else {
            throw Failure(
                "move the network device", device.hostName, detail: "interface \(quoted(device.hostName)) does not exist [W-02]",
                place: place(device.origin))
        }
        guard !name.isEmpty else {
            throw Failure(
                "move the network device", device.hostName,
                detail: "the name \(quoted(device.name ?? device.hostName)) is taken in the container's network namespace [W-03]",
                place: place(device.origin), hint: "another name, or one with %d, which stands for a free number, would do")
        }
        // It is noted first: a move that fails half way has left the host as well.
        moved.append(Moved(wanted: device, before: before, addresses: addresses, name: name))
        do throws(RouteError) {
            guard let descriptor = namespace?.number else { return }
            try host.move(before, to: descriptor, name: name)
        } catch { throw failure(device, "move the network device", error) }
        do throws(RouteError) {
            guard let there = try inside.device(named: name) else { throw RouteError(.noDevice) }
            try inside.setUp(there)
            for address in addresses { try inside.add(address, to: there, oldName: before.name) }
        } catch { throw failure(device, "set up the network device", error) }
    }

    /// The name to take: as wanted, or with the lowest number that is free in place of "%d"; empty where there is none.
    private func freeName(_ wanted: String, _ inside: inout RouteSocket) throws(RouteError) -> String {
        let parts = wanted.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.first == UInt8(ascii: "d") else {
            return try inside.device(named: wanted) == nil ? wanted : ""
        }
        for number in 0..<100_000 {
            let name = "\(parts[0])\(number)\(parts[1].dropFirst())"
            if name.utf8.count > 15 { return "" }
            if try inside.device(named: name) == nil { return name }
        }
        return ""
    }

    private func failure(_ device: NetDevice, _ operation: String, _ error: RouteError) -> Failure {
        let hint: String? =
            switch error.errno {
            case .notPermitted: "moving a device needs CAP_NET_ADMIN over both network namespaces"
            case .invalidArgument: "some devices cannot leave their namespace, among them loopback"
            default: nil
            }
        return Failure(
            operation, device.hostName, detail: error.message.isEmpty ? nil : error.message, errno: error.errno,
            place: place(device.origin), hint: hint)
    }
}
