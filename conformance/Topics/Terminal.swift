/// Terminals: the pseudo-terminal that a container gets, and the console socket that its other side is sent over.

import Foundation

let terminal = Topic("terminal") { topic in
    topic.claim("the console socket receives the terminal of the payload", rows: ["P-02", "CLI-06", "D-14"]) { lab in
        let box = try lab.container("tty; stat -c %F /dev/console; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all; read x; echo got $x") {
            $0["/process/terminal"] = true
        }
        let console = try Console(lab)
        try console.create(box)
        try box.started()
        try console.reads("all")
        try console.writes("word\n")
        try console.reads("got word")
        try contains(console.text, "/dev/pts/0", "tty")
        try contains(console.text, "character special file", "console")
        try equal(box.text, "", "what went to create's stdout")
    }

    topic.claim("the terminal has the configured size", rows: ["P-03", "P-04"]) { lab in
        let box = try lab.container("stty size") {
            $0["/process/terminal"] = true
            $0["/process/consoleSize"] = ["height": 43, "width": 132]
        }
        let console = try Console(lab)
        try console.create(box)
        try box.started()
        try console.reads("43 132")
    }

    topic.claim("the terminal is the payload's controlling terminal", rows: ["P-02"]) { lab in
        let box = try lab.container("echo here >/dev/tty; trap 'echo interrupted; exit' INT; echo ready; while :; do sleep 0.05; done") {
            $0["/process/terminal"] = true
        }
        let console = try Console(lab)
        try console.create(box)
        try box.started()
        try console.reads("here")
        try console.reads("ready")
        try console.writes("\u{3}")
        try console.reads("interrupted")
    }

    topic.claim("a new size reaches the payload as SIGWINCH", rows: ["P-02"]) { lab in
        let box = try lab.container("trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done") {
            $0["/process/terminal"] = true
        }
        let console = try Console(lab)
        try console.create(box)
        try box.started()
        try console.reads("ready")
        try console.resize(rows: 50, columns: 99)
        try console.reads("50 99")
    }

    topic.claim("the terminal belongs to the payload's user", rows: ["P-02"]) { lab in
        let box = try lab.container("stat -c %u /dev/pts/0 && echo writable >$(tty)") {
            $0["/process/terminal"] = true
            $0["/process/user"] = ["uid": 1000, "gid": 1000]
        }
        let console = try Console(lab)
        try console.create(box)
        try box.started()
        try console.reads("1000")
        try console.reads("writable")
    }

    topic.claim("the terminal works in a readonly root", rows: ["P-02", "R-03"]) { lab in
        let box = try lab.container("stat -c %F /dev/console") {
            $0["/process/terminal"] = true
            $0["/root/readonly"] = true
        }
        let console = try Console(lab)
        try console.create(box)
        try box.started()
        try console.reads("character special file")
    }

    topic.claim("create with a terminal needs a console socket", rows: ["P-02"]) { lab in
        try lab.container { $0["/process/terminal"] = true }.refused("socket")
    }

    topic.claim("a console socket without a terminal is refused", rows: ["P-02"]) { lab in
        let box = try lab.container()
        let console = try Console(lab)
        try refused(try box.create(["--console-socket", console.path]), "create")
        try box.gone()
    }

    topic.claim("a console socket that nobody listens on is refused", rows: ["P-02", "LC-15"]) { lab in
        let box = try lab.container { $0["/process/terminal"] = true }
        try refused(try box.create(["--console-socket", lab.fresh("nobody")]), "create")
        try box.gone()
    }

    topic.claim("consoleSize without a terminal is ignored", rows: ["P-03"]) { lab in
        let box = try lab.container("echo fine") { $0["/process/consoleSize"] = ["height": 43, "width": 132] }
        try equal(try box.printed(), "fine", "output")
    }
}

/// The receiving end of a console socket, and then the terminal's outer side.
final class Console {
    let path: String
    private let lab: Lab
    private let listener: Int32
    private var master: Int32 = -1
    private(set) var text = ""

    init(_ lab: Lab) throws {
        self.lab = lab
        path = lab.fresh("console")
        listener = try UnixSocket.listen(at: path)
    }

    deinit {
        close(listener)
        if master >= 0 { close(master) }
    }

    /// Creates a container with this console socket and takes the terminal.
    func create(_ box: Container) throws {
        let words = ["create", "--bundle", box.bundle, "--console-socket", path, box.id]
        let launch = Launch(arguments: [lab.runtime.path, "--root", lab.stateRoot] + words, output: box.output, error: box.errors)
        try take { try lab.children.start(launch) }
    }

    /// Takes the terminal that a runtime's command sends.
    func take(from start: () throws -> pid_t) throws {
        let pid = try start()
        let received = try UnixSocket.receive(from: listener, sentBy: pid, lab)
        try equal(try lab.children.wait(for: pid, until: lab.deadline, "the runtime"), 0, "status")
        try equal(received.descriptors.count, 1, "descriptors received")
        master = received.descriptors[0]
        try expect(isatty(master) == 1, "what was received is no terminal")
    }

    /// Waits until the payload has written the text to the terminal.
    func reads(_ part: String) throws {
        try lab.eventually("\(part.debugDescription) on the terminal, which shows \(text.debugDescription)") {
            var item = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
            if poll(&item, 1, 0) > 0, item.revents & Int16(POLLIN) != 0 {
                var bytes = [UInt8](repeating: 0, count: 4096)
                let count = read(master, &bytes, bytes.count)
                if count > 0 { text += String(decoding: bytes[..<count], as: UTF8.self) }
            }
            return text.contains(part)
        }
    }

    /// Types on the terminal.
    func writes(_ word: String) throws {
        let bytes = Array(word.utf8)
        try equal(write(master, bytes, bytes.count), bytes.count, "bytes written")
    }

    func resize(rows: UInt16, columns: UInt16) throws {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try equal(ioctl(master, UInt(TIOCSWINSZ), &size), 0, "TIOCSWINSZ")
    }
}
