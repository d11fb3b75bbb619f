/// Mounts and id mappings. Source: config.md#mounts; rows M, MO, I.

extension Reader {
    mutating func mounts(_ value: JSONValue) -> [Mount] {
        var mounts: [Mount] = []
        mounts.reserveCapacity(value.count)
        for element in elements(value, "M-01") {
            if let mount = mount(element) { mounts.append(mount) }
        }
        return mounts
    }

    private mutating func mount(_ value: JSONValue) -> Mount? {
        var mount = Mount(destination: Located(""))
        mount.origin = value.origin
        var hasDestination = false
        for member in members(value, "M-01") {
            let value = member.value
            switch member.name {
            case "destination":
                hasDestination = true
                if let destination = located(value, "M-02") { mount.destination = destination }
            case "source": mount.source = nonEmpty(value, "M-03")
            case "type": mount.type = nonEmpty(value, "M-04")
            case "options": mount.options = mountOptions(value)
            case "uidMappings": mount.uidMappings = mappings(value, "M-07")
            case "gidMappings": mount.gidMappings = mappings(value, "M-08")
            default: unknown(member, among: "destination source type options uidMappings gidMappings")
            }
        }
        if !hasDestination { missing("destination", in: value, "M-02") }
        return mount.destination.origin == .none ? nil : mount
    }

    private mutating func mountOptions(_ value: JSONValue) -> [Located<MountOption>] {
        var options: [Located<MountOption>] = []
        options.reserveCapacity(value.count)
        for element in elements(value, "M-05") {
            guard let text = text(element, "M-05") else { continue }
            if text == "" {
                findings.warning(element.origin, "empty mount option is ignored", "M-05")
                continue
            }
            options.append(Located(MountOption(text), element.origin))
        }
        return options
    }

    mutating func mappings(_ value: JSONValue, _ row: String) -> [IDMapping] {
        var mappings: [IDMapping] = []
        mappings.reserveCapacity(value.count)
        for element in elements(value, row) {
            if let mapping = mapping(element) { mappings.append(mapping) }
        }
        return mappings
    }

    private mutating func mapping(_ value: JSONValue) -> IDMapping? {
        var containerID: UInt32?
        var hostID: UInt32?
        var size: UInt32?
        for member in members(value, "I-03") {
            switch member.name {
            case "containerID": containerID = integer(member.value, "I-03")
            case "hostID": hostID = integer(member.value, "I-03")
            case "size": size = integer(member.value, in: 1...UInt32.max, "I-03")
            default: unknown(member, among: "containerID hostID size")
            }
        }
        if containerID == nil { missing("containerID", in: value, "I-03") }
        if hostID == nil { missing("hostID", in: value, "I-03") }
        if size == nil { missing("size", in: value, "I-03") }
        guard let containerID, let hostID, let size else { return nil }
        return IDMapping(containerID: containerID, hostID: hostID, size: size, origin: value.origin)
    }
}
