/// The content of a statistics file, and its plainest forms: a number, named numbers.
///
/// Whatever is not of the expected form is an error that names the file: a number that is not known must not pass for zero.

import Linux

/// The content of a statistics file.
struct StatisticsText {
    /// The file, for errors.
    let path: String
    /// What is in it, without the newline at its end.
    let text: String

    /// Its lines.
    var lines: [Substring] { text.split(separator: "\n") }

    /// One number; "max" is the highest.
    func number() throws(CgroupError) -> UInt64 { try number(text[...]) }

    /// One number that may be negative.
    func signedNumber() throws(CgroupError) -> Int64 {
        guard let number = Int64(text) else { throw malformed(text[...]) }
        return number
    }

    /// A number within the file; "max" is the highest.
    func number(_ word: Substring) throws(CgroupError) -> UInt64 {
        if word == "max" { return .max }
        guard let number = UInt64(word) else { throw malformed(word) }
        return number
    }

    /// Numbers between blanks: cpuacct.usage_percpu.
    func numbers() throws(CgroupError) -> [UInt64] {
        var result: [UInt64] = []
        for word in text.split(separator: " ") { result.append(try number(word)) }
        return result
    }

    /// A name and a number in each line: memory.stat, cpu.stat, memory.events.
    ///
    /// - Source: cgroup-v2.rst, "flat keyed".
    func counters() throws(CgroupError) -> [CgroupStatistics.Counter] {
        var result: [CgroupStatistics.Counter] = []
        for line in lines {
            guard let blank = line.firstIndex(of: " ") else { throw malformed(line) }
            let value = try number(line[line.index(after: blank)...])
            result.append(.init(name: String(line[..<blank]), value: value))
        }
        return result
    }

    /// Says that something in the file is not what it should be.
    func malformed(_ what: Substring) -> CgroupError {
        CgroupError("read", path, problem: "it holds something unexpected", value: String(what))
    }
}

extension [CgroupStatistics.Counter] {
    /// The number of that name; 0 where there is none.
    subscript(_ name: String) -> UInt64 { first { $0.name == name }?.value ?? 0 }
}

/// Reads statistics files: the file's content, or nil where this host has no such file.
struct StatisticsReader {
    /// The file of a controller; "" stands for files of the unified hierarchy that need none.
    let read: (_ controller: String, _ file: String) throws(CgroupError) -> StatisticsText?

    /// A number; 0 without the file.
    func number(_ controller: String, _ file: String) throws(CgroupError) -> UInt64 {
        try read(controller, file)?.number() ?? 0
    }

    /// Named numbers; none without the file.
    func counters(_ controller: String, _ file: String) throws(CgroupError) -> [CgroupStatistics.Counter] {
        try read(controller, file)?.counters() ?? []
    }
}
