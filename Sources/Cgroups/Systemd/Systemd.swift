/// Talking to systemd about units. Source: org.freedesktop.systemd1(5).

import DBus
import Linux

/// A conversation with a service manager.
struct Systemd: ~Copyable {
    private var connection: DBusConnection
    private let manager: ServiceManager
    private let deadline: Int

    private static let service = "org.freedesktop.systemd1"
    private static let interface = "org.freedesktop.systemd1.Manager"
    private static let object = DBusConnection.Object(
        destination: service, path: "/org/freedesktop/systemd1", interface: interface)
    private static let properties = "org.freedesktop.DBus.Properties"

    /// How long a conversation may take: longer than a busy systemd needs, shorter than engines wait.
    static let patience = 30_000

    /// Connects to a manager.
    static func reach(_ manager: ServiceManager) throws(DBusError) -> Systemd {
        let deadline = monotonicMilliseconds() + patience
        return Systemd(
            connection: try .open(manager.socket, isBus: manager.isBus, until: deadline), manager: manager, deadline: deadline)
    }

    private init(connection: consuming DBusConnection, manager: ServiceManager, deadline: Int) {
        self.connection = connection
        self.manager = manager
        self.deadline = deadline
    }

    /// What has to be known to plan a scope.
    mutating func facts() throws(DBusError) -> ServiceManagerFacts {
        let cgroup = try property("ControlGroup", of: Self.interface, on: Self.object.path)
        let version = try property("Version", of: Self.interface, on: Self.object.path)
        // "252.39-1~deb12u1", "v239"
        let number = version.drop { !("0"..."9").contains($0) }.prefix { ("0"..."9").contains($0) }
        return ServiceManagerFacts(manager: manager, cgroup: cgroup == "/" ? "" : cgroup, version: Int(number) ?? 0)
    }

    private mutating func property(_ name: String, of interface: String, on path: String) throws(DBusError) -> String {
        let object = DBusConnection.Object(destination: Self.service, path: path, interface: Self.properties)
        let answer = try connection.call(object, "Get", [.string(interface), .string(name)], until: deadline)
        guard let text = answer.first?.text else { throw .malformed("a property \(name) that is no text") }
        return text
    }

    /// Whether the manager's processes and ours have the same numbers; else it would take another process than the one that is meant.
    var seesOurProcesses: Bool { connection.peer != 0 }

    /// The description of a unit; its name where there is none.
    mutating func description(of unit: String) throws(DBusError) -> String {
        try property("Description", of: "org.freedesktop.systemd1.Unit", on: Self.path(of: unit))
    }

    /// Makes a scope around a process, and waits until it stands.
    ///
    /// What an earlier container of the name has left, a failed unit, is swept away.
    mutating func start(_ plan: ScopePlan, around pid: Int32) throws(DBusError) {
        try watchJobs()
        let usual = [
            UnitProperty("Description", .string(plan.description)),
            UnitProperty("Slice", .string(plan.slice)),
            UnitProperty("PIDs", .array(of: "u", [.uint32(UInt32(pid))])),
            UnitProperty("Delegate", .boolean(true)),
            UnitProperty("DefaultDependencies", .boolean(false)),
            UnitProperty("CollectMode", .string("inactive-or-failed")),
            // Without it a scope has a limit of systemd's own choice (DefaultTasksMax=).
            UnitProperty("TasksMax", .uint64(.max)),
        ]
        let properties = usual.filter { usual in !plan.properties.contains { $0.name == usual.name } } + plan.properties
        let arguments: [DBusValue] = [
            .string(plan.unit), .string("fail"), Self.array(properties), .array(of: "(sa(sv))", []),
        ]
        let givesUp = min(deadline, monotonicMilliseconds() + 2000)
        while true {
            do throws(DBusError) {
                let result = try end(ofJob: try connection.call(Self.object, "StartTransientUnit", arguments, until: deadline))
                if result != "done" { throw .reply(name: "", message: "the job ended with \"\(result)\"") }
                return
            } catch {
                guard case .reply(let name, _) = error, name == "org.freedesktop.systemd1.UnitExists", monotonicMilliseconds() < givesUp
                else {
                    throw error
                }
                _ = try? connection.call(Self.object, "ResetFailedUnit", [.string(plan.unit)], until: deadline)
                pause(nanoseconds: 20_000_000)
            }
        }
    }

    /// Changes properties of a unit that runs, and waits until they are in force.
    mutating func set(_ properties: [UnitProperty], of unit: String) throws(DBusError) {
        // `runtime`: kept until the unit goes, which is how long it is wanted.
        let arguments: [DBusValue] = [.string(unit), .boolean(true), Self.array(properties)]
        _ = try connection.call(Self.object, "SetUnitProperties", arguments, until: deadline)
        // The control files are written before the next call is looked at.
        _ = try description(of: unit)
    }

    /// Moves a process into a unit's cgroup.
    mutating func attach(_ pid: Int32, to unit: String) throws(DBusError) {
        guard seesOurProcesses else { throw .rejected("it is in another PID namespace") }
        let arguments: [DBusValue] = [.string(unit), .string("/"), .array(of: "u", [.uint32(UInt32(pid))])]
        _ = try connection.call(Self.object, "AttachProcessesToUnit", arguments, until: deadline)
    }

    /// Stops a unit, waits until it is gone, and forgets how it ended.
    mutating func stop(_ unit: String) throws(DBusError) {
        try watchJobs()
        do throws(DBusError) {
            _ = try end(ofJob: try connection.call(Self.object, "StopUnit", [.string(unit), .string("replace")], until: deadline))
        } catch {
            guard case .reply(let name, _) = error, name == "org.freedesktop.systemd1.NoSuchUnit" else { throw error }
        }
        _ = try? connection.call(Self.object, "ResetFailedUnit", [.string(unit)], until: deadline)
    }

    /// Asks for the news of jobs, which on a bus go only to who does.
    private mutating func watchJobs() throws(DBusError) {
        guard manager.isBus else { return }
        let rule = "type='signal',sender='\(Self.service)',interface='\(Self.interface)',member='JobRemoved'"
        _ = try connection.call(DBusConnection.bus, "AddMatch", [.string(rule)], until: deadline)
        _ = try connection.call(Self.object, "Subscribe", [], until: deadline)
    }

    /// Waits for the end of the job that a method has answered with, and returns its result.
    private mutating func end(ofJob answer: [DBusValue]) throws(DBusError) -> String {
        guard let job = answer.first?.text else { throw .malformed("an answer without a job") }
        // JobRemoved(id, job, unit, result)
        let news = try connection.signal(Self.interface, "JobRemoved", until: deadline) { $0.count == 4 && $0[1].text == job }
        return news[3].text ?? ""
    }

    private static func array(_ properties: [UnitProperty]) -> DBusValue {
        .array(of: "(sv)", properties.map { .structure([.string($0.name), .variant($0.value)]) })
    }

    /// The object of a unit: what is neither letter nor digit is `_NN`, and a digit at the start too.
    static func path(of unit: String) -> String {
        var path = Array("/org/freedesktop/systemd1/unit/".utf8)
        for (index, byte) in unit.utf8.enumerated() {
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            if isLetter || isDigit && index > 0 {
                path.append(byte)
            } else {
                path.append(UInt8(ascii: "_"))
                for digit in [byte >> 4, byte & 15] { path.append(digit < 10 ? 48 + digit : 87 + digit) }
            }
        }
        return String(decoding: path, as: UTF8.self)
    }
}
