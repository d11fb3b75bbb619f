/// A terminal with a program on it, as a person sits before one.

import Foundation

final class PseudoTerminal {
    private let master: Int32
    private let lab: Lab
    let pid: pid_t
    /// All that the program has written so far.
    private(set) var text = ""

    /// Starts a program in a session of its own with a new terminal as its controlling one.
    init(_ launch: Launch, _ lab: Lab, rows: UInt16 = 24, columns: UInt16 = 80) throws {
        self.lab = lab
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var number: UInt32 = 0
        var unlocked: Int32 = 0
        let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
        guard master >= 0, ioctl(master, setLock, &unlocked) == 0, ioctl(master, getNumber, &number) == 0 else {
            throw Failure(message: "no terminal: \(String(cString: strerror(errno)))")
        }
        let name = "/dev/pts/\(number)"
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
        var launch = launch
        // The first terminal that the leader of a new session opens becomes its controlling one.
        launch.arguments = ["setsid", "-w", "sh", "-c", "exec \"$@\" <>\(name) >&0 2>&0", "sh"] + launch.arguments
        launch.environment.append("TERM=xterm")
        pid = try lab.children.start(launch)
        lab.later { [master] in close(master) }
    }

    func writes(_ keys: String) throws {
        let count = keys.withCString { write(master, $0, strlen($0)) }
        try expect(count == keys.utf8.count, "the terminal takes nothing")
    }

    func resize(rows: UInt16, columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    }

    /// Waits until the program has written a text, which is then done with.
    func reads(_ part: String) throws {
        do {
            try lab.eventually("\(part) on the terminal") {
                drain()
                return text.contains(part)
            }
        } catch let timeout as TimedOut {
            throw Failure(message: "no \(timeout.what), but \(text)")
        }
        if let range = text.range(of: part) { text = String(text[range.upperBound...]) }
    }

    /// A script that says where its terminal is, and its size again and again.
    static let sizes = "tty; while :; do stty size; sleep 0.1; done"

    /// Sees a container's script of ``sizes`` follow this terminal's, from 33 by 101 on, and interrupts it.
    func followsItsSize() throws {
        try reads("/dev/pts/0")
        try reads("33 101")
        resize(rows: 44, columns: 99)
        try reads("44 99")
        try writes("\u{3}")
        try equal(try ends(), 130, "status")
    }

    /// Waits for the program's end and returns its status.
    func ends() throws -> Int32 {
        var status: Int32?
        try lab.eventually("the end of the program on the terminal; it wrote \(text)") {
            drain()
            status = lab.children.status(of: pid)
            return status != nil
        }
        return status ?? -1
    }

    private func drain() {
        var item = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        var bytes = [UInt8](repeating: 0, count: 65536)
        while poll(&item, 1, 0) > 0, item.revents & Int16(POLLIN) != 0 {
            let count = read(master, &bytes, bytes.count)
            if count <= 0 { return }
            text += String(decoding: bytes[..<count], as: UTF8.self)
        }
    }
}
