/// Network devices and their addresses, through the routing layer. Source: rtnetlink(7); rows W-01 to W-05.

import CLinux

/// A network device of one namespace.
public struct NetworkDevice: Equatable, Sendable {
    /// Its number in its namespace.
    public var index: UInt32
    /// Its name.
    public var name: String
    /// Whether it is up (IFF_UP).
    public var isUp: Bool

    /// Names a device.
    public init(index: UInt32, name: String, isUp: Bool = false) {
        self.index = index
        self.name = name
        self.isUp = isUp
    }

    /// The device of an RTM_NEWLINK message.
    init?(_ message: RouteMessage) {
        guard message.type == NetlinkConstant.newLink, message.fixed.count >= 16, let name = message.attribute(Self.nameType) else {
            return nil
        }
        // struct ifinfomsg: family, padding, type, index, flags, mask of flags.
        index = message.fixed[4..<8].withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
        isUp = message.fixed[8] & 1 != 0
        self.name = name.text
    }

    /// IFLA_IFNAME.
    static let nameType: UInt16 = 3
    /// IFLA_NET_NS_FD.
    static let namespaceType: UInt16 = 28

    /// struct ifinfomsg about a device, with the flags to change.
    static func information(index: UInt32, flags: UInt32 = 0, change: UInt32 = 0) -> [UInt8] {
        [0, 0, 0, 0] + bytes(of: index) + bytes(of: flags) + bytes(of: change)
    }
}

/// An address of a network device, of any family, with what belongs to it.
public struct NetworkAddress: Equatable, Sendable {
    /// AF_INET, AF_INET6, ...
    public var family: UInt8
    /// The length of the network's prefix.
    public var prefixLength: UInt8
    /// RT_SCOPE_*.
    public var scope: UInt8
    /// IFA_F_*.
    public var flags: UInt32
    /// The device's number.
    public var device: UInt32
    /// Everything else: the address itself, its peer, its broadcast address, its lifetime.
    public var attributes: [RouteAttribute]

    /// The address of an RTM_NEWADDR message.
    init?(_ message: RouteMessage) {
        guard message.type == NetlinkConstant.newAddress, message.fixed.count >= 8 else { return nil }
        family = message.fixed[0]
        prefixLength = message.fixed[1]
        // The fixed part has room for the first eight flags.
        flags = message.attribute(Self.flagsType)?.number ?? UInt32(message.fixed[2])
        scope = message.fixed[3]
        device = message.fixed[4..<8].withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
        attributes = message.attributes
    }

    /// Whether somebody gave it to the device for good and for everywhere: what moves with the device (W-04).
    public var isPermanentAndGlobal: Bool { flags & 0x80 != 0 && scope == 0 }

    private static let labelType: UInt16 = 3
    private static let flagsType: UInt16 = 8
    /// IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_ANYCAST, IFA_CACHEINFO (lifetimes), IFA_RT_PRIORITY, IFA_PROTO.
    private static let kept: [UInt16] = [1, 2, 4, 5, 6, 9, 11]
    /// IFA_F_NODAD, HOMEADDRESS, MANAGETEMPADDR, NOPREFIXROUTE, MCAUTOJOIN: what a user may ask for.
    private static let settable: UInt32 = 0x02 | 0x10 | 0x100 | 0x200 | 0x400

    /// The message that gives it to a device that had it under another name.
    func request(device: NetworkDevice, oldName: String) -> RouteMessage {
        let flags = flags & NetworkAddress.settable
        var kept = attributes.filter { NetworkAddress.kept.contains($0.type) }
        kept.append(RouteAttribute(NetworkAddress.flagsType, number: flags))
        if let label = attributes.first(where: { $0.type == NetworkAddress.labelType })?.text, label.hasPrefix(oldName) {
            // A label is the device's name, perhaps with ":" and more. Without one the kernel takes the name.
            let renamed = device.name + String(label.dropFirst(oldName.count))
            if renamed.utf8.count < 16 { kept.append(RouteAttribute(NetworkAddress.labelType, text: renamed)) }
        }
        let fixed = [family, prefixLength, UInt8(truncatingIfNeeded: flags), scope] + bytes(of: device.index)
        return RouteMessage(type: NetlinkConstant.newAddress, fixed: fixed, attributes: kept)
    }
}

extension RouteSocket {
    /// Finds a device by its name, or one of its alternative names; nil if there is none.
    public mutating func device(named name: String) throws(RouteError) -> NetworkDevice? {
        let request = RouteMessage(
            type: NetlinkConstant.getLink, fixed: NetworkDevice.information(index: 0),
            attributes: [RouteAttribute(NetworkDevice.nameType, text: name)])
        do throws(RouteError) {
            return try ask(request, flags: NetlinkConstant.acknowledge).lazy.compactMap { NetworkDevice($0) }.first
        } catch {
            if error.errno == .noDevice { return nil }
            throw error
        }
    }

    /// A device's addresses, in the kernel's order, in which the first of a network is its primary one.
    public mutating func addresses(of device: NetworkDevice) throws(RouteError) -> [NetworkAddress] {
        // struct ifaddrmsg of all families and devices: only newer kernels choose by device themselves.
        let request = RouteMessage(type: NetlinkConstant.getAddress, fixed: [UInt8](repeating: 0, count: 8))
        return try ask(request, flags: NetlinkConstant.dump).compactMap { NetworkAddress($0) }.filter { $0.device == device.index }
    }

    /// Moves a device to another network namespace and gives it a name there.
    ///
    /// It goes down and loses its addresses.
    /// - Parameter namespace: A descriptor of the namespace.
    public mutating func move(_ device: NetworkDevice, to namespace: Int, name: String) throws(RouteError) {
        _ = try ask(
            RouteMessage(
                type: NetlinkConstant.newLink, fixed: NetworkDevice.information(index: device.index),
                attributes: [
                    RouteAttribute(NetworkDevice.namespaceType, number: UInt32(truncatingIfNeeded: namespace)),
                    RouteAttribute(NetworkDevice.nameType, text: name),
                ]), flags: NetlinkConstant.acknowledge)
    }

    /// Sets a device up.
    public mutating func setUp(_ device: NetworkDevice) throws(RouteError) {
        let up: UInt32 = 1  // IFF_UP
        let fixed = NetworkDevice.information(index: device.index, flags: up, change: up)
        _ = try ask(RouteMessage(type: NetlinkConstant.newLink, fixed: fixed), flags: NetlinkConstant.acknowledge)
    }

    /// Gives a device an address that it had under another name, in another namespace perhaps.
    public mutating func add(_ address: NetworkAddress, to device: NetworkDevice, oldName: String) throws(RouteError) {
        let request = address.request(device: device, oldName: oldName)
        do throws(RouteError) {
            _ = try ask(request, flags: NetlinkConstant.acknowledge | NetlinkConstant.createNew)
        } catch {
            // Setting the device up may have brought it back.
            if error.errno != .exists { throw error }
        }
    }
}
