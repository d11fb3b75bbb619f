/// The container's terminal. Row P-02.

import Linux
import Plan

extension Executor {
    /// Opens a terminal of the container's own devpts, sends its other end to the runtime, makes it stdin, stdout and stderr.
    mutating func openConsole(_ step: OpenConsole) throws(Errno) {
        let ptmx = try rootDirectory.resolve(literal("/dev/pts/ptmx"), [.readWrite, .noControllingTerminal])
        let status = try FileStatus.of(at: ptmx.number)
        // 5:2 on DEVPTS_SUPER_MAGIC: anything else was put there by the image.
        let magic = try fileSystemMagic(ptmx.number)
        if !status.isCharacterDevice(5, 2) || magic != 0x1cd1 {
            detail = Detail(reason: .wrongNode, text: literal("/dev/pts/ptmx"))
            throw .noDevice
        }
        let terminal = try openPeerTerminal(of: ptmx.number)
        try TerminalModes(of: terminal.number).withoutNewlineTranslation.apply(to: terminal.number)
        if step.rows | step.columns != 0 {
            try setTerminalSize(
                terminal.number, rows: UInt16(truncatingIfNeeded: step.rows), columns: UInt16(truncatingIfNeeded: step.columns))
        }
        if step.uid != 0 {
            // AT_EMPTY_PATH 0x1000; the group stays devpts' own (tty).
            try kernel(
                SystemCallNumber.fchownat, terminal.number, Int(bitPattern: emptyPath), Int(step.uid), Int(UInt32.max), 0x1000)
        }
        if step.mountsConsole != 0 { try mountConsole(terminal) }
        try channel.send(Message(.console), descriptor: ptmx.raw)
        for descriptor in 0...2 { try kernel(SystemCallNumber.dup3, terminal.number, descriptor, 0) }
    }

    /// Mounts the terminal itself, not a path to it, over /dev/console.
    ///
    /// Row D-14.
    private mutating func mountConsole(_ terminal: borrowing OwnedFD) throws(Errno) {
        let directory = try rootDirectory.makeDirectories(literal("/dev"), mode: 0o755, followLinks: false)
        let name = literal("console")
        do { _ = try OwnedFD.open(name, [.write, .create, .exclusive, .noFollow], at: directory.number, mode: 0o600) } catch {
            if error != .exists { throw error }
        }
        let target = try OwnedFD.open(name, [.path, .noFollow], at: directory.number)
        if try FileStatus.of(at: target.number).isLink {
            detail = Detail(reason: .unsafePath, text: literal("/dev/console"))
            throw .loop
        }
        try MountTree.copy(at: terminal.number, recursive: false).attach(to: target.number)
    }

    /// Makes the process lead a session, with the terminal if it has one.
    func startSession(_ step: StartSession) throws(Errno) {
        try kernel(SystemCallNumber.setsid)
        if step.terminal != 0 { try takeTerminal(0) }
    }
}
