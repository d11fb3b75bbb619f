/// Between the caller's standard input and output and the container's terminal, for `run` in the foreground. Row P-02.
///
/// A loop over signals, input, terminal and output; nothing waits for anything but all of them together. The caller's terminal
/// gets its modes back however the relay ends.

import CLinux
import Linux

extension CreatedContainer {
    /// Gives the container's terminal, where nobody else took it, the size of the caller's, before the payload looks at it.
    public func adoptSize() {
        if consoleNumber >= 0 { adoptTerminalSize(consoleNumber) }
    }
}

/// Gives a terminal the size of the caller's, if the caller has one.
func adoptTerminalSize(_ console: Int32) {
    for descriptor in 0...2 {
        guard let size = try? terminalSize(descriptor) else { continue }
        try? setTerminalSize(Int(console), rows: size.rows, columns: size.columns)
        return
    }
}

/// A relay at work.
struct TerminalRelay: ~Copyable {
    /// Why ``next(draining:)`` returned.
    enum Event: Equatable {
        /// A signal came.
        case signal(Int32)
        /// Nothing more is to be expected of the terminal.
        case drained
    }

    private static let input: Int32 = 0
    private static let output: Int32 = 1
    /// A pipe that poll(2) calls writable takes as much without waiting.
    private static let chunk = 4096

    /// The outer end of the container's terminal.
    private let console: Int32
    private let signals: OwnedFD
    /// The modes of the caller's terminal before the relay; nil where standard input is none.
    private let modes: TerminalModes?
    private var isConsoleOpen = true
    private var readsInput = true
    /// Whether the terminal's current line is empty, where it reads lines.
    private var isAtLineStart = true
    /// What is on its way to the container.
    private var incoming: [UInt8] = []
    /// What is on its way to the caller.
    private var outgoing: [UInt8] = []

    /// Begins the relay.
    ///
    /// All signals are held back by now.
    init(console: Int32) throws(Errno) {
        try kernel(__NR_fcntl, Int(console), Int(F_SETFL), Int(O_RDWR | O_NONBLOCK))
        var all = ~UInt64(0)
        let signals = try withUnsafeMutablePointer(to: &all) { all throws(Errno) in
            try kernel(__NR_signalfd4, -1, Int(bitPattern: all), 8, Int(O_CLOEXEC | O_NONBLOCK))
        }
        self.console = console
        self.signals = OwnedFD(signals)
        modes = try? TerminalModes(of: Int(TerminalRelay.input))
        if let modes { try? modes.raw.apply(to: Int(TerminalRelay.input)) }
    }

    deinit {
        if let modes { try? modes.apply(to: Int(TerminalRelay.input)) }
    }

    /// Gives the container's terminal the size of the caller's.
    func adoptSize() { adoptTerminalSize(console) }

    /// Moves bytes until a signal comes, or while draining until no more come out of the terminal.
    mutating func next(draining: Bool) throws(Errno) -> Event {
        if draining {
            readsInput = false
            incoming = []
        }
        while true {
            let ready = try wait(noLongerThan: draining && outgoing.isEmpty ? 0 : -1)
            if ready.signal, let signal = takeSignal() { return .signal(signal) }
            if ready.output { deliver() }
            if ready.consoleTakes { feed() }
            if ready.consoleHas { receive() }
            if ready.input { readInput() }
            if draining, outgoing.isEmpty, !ready.consoleHas || !isConsoleOpen { return .drained }
        }
    }

    private func wait(
        noLongerThan milliseconds: Int
    ) throws(Errno) -> (signal: Bool, input: Bool, consoleHas: Bool, consoleTakes: Bool, output: Bool) {
        let readable = PollEvents.readable
        var events: Int16 = 0
        if isConsoleOpen && outgoing.isEmpty { events |= readable }
        if isConsoleOpen && !incoming.isEmpty { events |= PollEvents.writable }
        var entries = (
            cl_pollfd(fd: signals.raw, events: readable, revents: 0),
            cl_pollfd(fd: readsInput && incoming.isEmpty ? TerminalRelay.input : -1, events: readable, revents: 0),
            // A closed peer is told whether asked for or not.
            cl_pollfd(fd: events == 0 ? -1 : console, events: events, revents: 0),
            cl_pollfd(fd: outgoing.isEmpty ? -1 : TerminalRelay.output, events: PollEvents.writable, revents: 0)
        )
        _ = try withUnsafeMutablePointer(to: &entries) { all throws(Errno) in
            try poll(UnsafeMutableRawPointer(all).assumingMemoryBound(to: cl_pollfd.self), 4, milliseconds: milliseconds)
        }
        let happened = entries.2.revents
        return (
            entries.0.revents != 0, entries.1.revents != 0, happened & ~PollEvents.writable != 0 && outgoing.isEmpty,
            happened & PollEvents.writable != 0, entries.3.revents != 0
        )
    }

    private func takeSignal() -> Int32? {
        // struct signalfd_siginfo: 128 bytes, the number first.
        var info = InlineArray<32, Int32>(repeating: 0)
        let descriptor = signals.number
        let count = withUnsafeMutablePointer(to: &info) { try? kernel(__NR_read, descriptor, Int(bitPattern: $0), 128) }
        return count == 128 ? info[0] : nil
    }

    /// Takes what the caller types.
    ///
    /// At its end the payload reads an end as well, if it reads lines.
    private mutating func readInput() {
        if let bytes = bytes(from: TerminalRelay.input), !bytes.isEmpty {
            incoming = bytes
            isAtLineStart = bytes.last == UInt8(ascii: "\n")
            return
        }
        readsInput = false
        guard let end = (try? TerminalModes(of: Int(console)))?.endOfFile else { return }
        // The first one ends an unfinished line only.
        incoming = isAtLineStart ? [end] : [end, end]
    }

    private mutating func feed() {
        switch write(incoming, to: console) {
        case .some(let count): incoming.removeFirst(count)
        case nil:
            incoming = []
            readsInput = false
        }
    }

    /// Takes what the payload wrote.
    ///
    /// An error (EIO) means that nobody has the terminal open any more.
    private mutating func receive() {
        if let bytes = bytes(from: console) { outgoing = bytes } else { isConsoleOpen = false }
    }

    private mutating func deliver() {
        // With nobody left to read it the output is dropped, so that the payload is not held up.
        if let count = write(outgoing, to: TerminalRelay.output) { outgoing.removeFirst(count) } else { outgoing = [] }
    }

    /// What a descriptor has to read: empty at its end, and where it has nothing after all; nil for an error.
    private func bytes(from descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: TerminalRelay.chunk)
        do throws(Errno) {
            let count = try bytes.withUnsafeMutableBufferPointer { buffer throws(Errno) in
                try kernel(__NR_read, Int(descriptor), Int(bitPattern: buffer.baseAddress), buffer.count)
            }
            bytes.removeLast(bytes.count - count)
            return bytes
        } catch {
            return error == .again ? [] : nil
        }
    }

    /// How many bytes a descriptor took; nil for an error.
    private func write(_ bytes: [UInt8], to descriptor: Int32) -> Int? {
        do throws(Errno) {
            return try bytes.withUnsafeBufferPointer { buffer throws(Errno) in
                try kernel(__NR_write, Int(descriptor), Int(bitPattern: buffer.baseAddress), buffer.count)
            }
        } catch {
            return error == .again ? 0 : nil
        }
    }
}
