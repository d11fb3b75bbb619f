/// From "all is set up" to the payload: looking the program up, waiting for start, execve.

import Linux
import Plan

extension Executor {
    /// Finds the program as execvp(3) would, as the payload's user.
    ///
    /// Row P-08.
    mutating func findExecutable(_ step: FindExecutable) throws(Errno) {
        let file = plan.cString(step.file)
        if contains(file, 47) {
            executable = file
            return try check(file)
        }
        var denied = false
        for index in 0..<Int(step.searchPath.count) {
            var path = PathBuffer()
            let directory = plan.text(step.searchPath, index)
            if directory.count > 0 {
                try path.append(plan.cString(directory))
                try path.appendComponent(file)
            } else {
                try path.append(literal("./"))
                try path.append(file)
            }
            do {
                try check(path.cString)
                executable = try copy(path.cString)
                return
            } catch {
                if error == .accessDenied { denied = true }
            }
        }
        detail = Detail(reason: denied ? .notExecutable : .notInPath, text: file)
        throw denied ? .accessDenied : .noEntry
    }

    /// Whether a path is a file that the process may execute.
    private mutating func check(_ path: UnsafePointer<CChar>) throws(Errno) {
        do throws(Errno) {
            let status = try FileStatus.of(path, at: workingDirectory, follow: true)
            if status.isDirectory { throw Errno.isDirectory }
            // X_OK 1, AT_EACCESS 0x200.
            try kernel(SystemCallNumber.faccessat2, workingDirectory, Int(bitPattern: path), 1, 0x200)
        } catch {
            detail = Detail(reason: .notExecutable, text: path)
            throw error
        }
    }

    private func contains(_ text: UnsafePointer<CChar>, _ byte: CChar) -> Bool {
        var at = 0
        while text[at] != 0 {
            if text[at] == byte { return true }
            at += 1
        }
        return false
    }

    /// Keeps a string for as long as the process lives.
    private func copy(_ text: UnsafePointer<CChar>) throws(Errno) -> UnsafePointer<CChar> {
        var count = 0
        while text[count] != 0 { count += 1 }
        let result = UnsafeMutablePointer<CChar>.allocate(capacity: count + 1)
        for index in 0...count { result[index] = text[index] }
        return UnsafePointer(result)
    }

    /// Reports that all is set up, waits for the runtime's commit, then for start.
    ///
    /// A runtime that dies before its commit takes the container with it. Somebody who connects and says nothing (`state` looking
    /// whether this process still waits) changes nothing.
    mutating func awaitStart() throws(Errno) {
        try awaitCommit()
        channel.close()
        let listener = OwnedFD(Int32(bitPattern: plan.header.startSocket))
        while true {
            let connection = Channel(try accept(listener.number).release())
            if connection.awaitWord(.start) {
                channel = connection
                return
            }
            connection.close()
        }
    }

    /// Reports that all is set up and waits for the runtime's commit, doing what it asks for before.
    mutating func awaitCommit() throws(Errno) {
        if !hasEnteredDirectory, !isBeforeUserChange {
            detail = Detail(reason: .workingDirectory)
            throw .accessDenied
        }
        try channel.send(Message(.ready))
        while let limit = channel.awaitLimitOrCommit() {
            if limit.comesLast { fileLimit = limit } else { try set(limit) }
            try channel.send(Message(.limit))
        }
    }

    /// Executes the payload.
    ///
    /// The connection of start closes with it, which is start's success.
    mutating func execute(_ step: Execute) throws(Errno) {
        let arguments = pointers(step.arguments, extra: nil)
        let environment = pointers(step.environment, extra: home)
        try prepareExecution()
        let program = executable ?? plan.cString(plan.text(step.arguments, 0))
        do {
            try kernel(
                SystemCallNumber.execve, Int(bitPattern: program), Int(bitPattern: arguments), Int(bitPattern: environment))
        } catch {
            detail = Detail(reason: .notExecutable, text: program)
            throw error
        }
    }

    /// Tells start that nothing is in the way of the payload any more, so that from here on a closed connection is its success, and makes
    /// signals and descriptors what the payload finds: all that is left for after the filter is the execve.
    mutating func prepareExecution() throws(Errno) {
        if isReadyToExecute { return }
        isReadyToExecute = true
        // PR_SET_NAME 15: start tells an execve from an end by it.
        try kernel(SystemCallNumber.prctl, 15, Int(bitPattern: literal(nameBeforeExecve)))
        // Under the payload's filter no word may get through any more.
        try channel.send(Message(.start))
        resetSignalDispositions()
        try SignalSet.none.block()
        try closeDescriptorsOnExec(from: 3 + Int32(bitPattern: plan.header.preservedDescriptors))
        if let fileLimit { try set(fileLimit) }
    }

    private func set(_ limit: LimitMessage) throws(Errno) {
        try setResourceLimit(of: 0, Int32(bitPattern: limit.message.value), soft: limit.soft, hard: limit.hard)
    }

    /// A null-terminated vector of a list's strings, in place, and one more.
    func pointers(_ list: TextList, extra: UnsafePointer<CChar>?) -> UnsafeMutablePointer<UnsafePointer<CChar>?> {
        let count = Int(list.count)
        let result = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: count + 2)
        for index in 0..<count { result[index] = plan.cString(plan.text(list, index)) }
        result[count] = extra
        result[count + 1] = nil
        return result
    }
}
