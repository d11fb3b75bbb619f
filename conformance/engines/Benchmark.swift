/// The entry of `conformance bench`: how long engines take with each of several runtimes, measured in turns.
///
/// The runtimes share the engines, the images and the bundle, and take turns within each round, so that what the machine does meanwhile
/// hits all of them alike. Figures of one run can be compared with each other, and with those of another run only with care.

import Foundation

enum Benchmark {
    static let usage = """
        Usage: conformance bench [--rounds N] [--only TEXT] [RUNTIME]...

        Measures podman run, docker run and the runtime's own exec with each runtime in turn, and prints a table: the median,
        the quartiles around it, and the ratio to the first runtime. Needs root, podman and Docker.

          RUNTIME      a path or a name on PATH (default: the package's release swoci, crun and runc)
          --rounds N   how often each is measured (default: 30), after one round that does not count
          --only TEXT  only measurements with TEXT in their name

        On a host that has cgroup v1 controllers and the unified hierarchy, the runtimes see the controllers only, because crun
        refuses both.
        """

    private struct Settings {
        var runtimes: [String] = []
        var rounds = 30
        var only = ""
        var help = false

        init(_ arguments: [String]) throws {
            var rest = arguments[...]
            while let word = rest.popFirst() {
                switch word {
                case "--help", "-h": help = true
                case "--only":
                    guard let text = rest.popFirst() else { throw Complaint("--only needs a text") }
                    only = text
                case "--rounds":
                    guard let number = rest.popFirst().flatMap({ Int($0) }), number > 0 else { throw Complaint("--rounds needs a number") }
                    rounds = number
                case _ where word.hasPrefix("-"): throw Complaint("unknown option \(word)\n\(Benchmark.usage)")
                default: runtimes.append(try Options.find(word))
                }
            }
            if runtimes.isEmpty { runtimes = [Options.ownRelease(), try Options.find("crun"), try Options.find("runc")] }
        }
    }

    static func main(_ arguments: [String]) {
        do {
            let settings = try Settings(arguments)
            if settings.help { return print(usage) }
            let both = Cgroups.hierarchies.contains(where: \.unified) && !Cgroups.isUnified
            if EngineIsolation.isOutside && both { setenv("CONFORMANCE_LAYOUT", "v1", 1) }
            try EngineIsolation.enter(for: settings.runtimes)
            let children = Children()
            let runtimes = try settings.runtimes.map { try RuntimeUnderTest(path: $0, children: children) }
            for runtime in runtimes { print("\(runtime.path): \(runtime.version)") }
            let lab = try Lab(
                runtime: runtimes[0], children: children, tree: "", directory: "\(EngineIsolation.scratch)/bench", seconds: 3600)
            try Images.build(lab)
            let bench = try Bench(runtimes, lab)
            defer { bench.stop() }
            let stopwatch = Stopwatch(children)
            print(
                "\n| measurement | runtime | wall ms (quartiles) | to the first | cpu ms (quartiles) | to the first |\n|---|---|---|---|---|---|"
            )
            for measurement in try bench.measurements() where settings.only.isEmpty || measurement.name.contains(settings.only) {
                report(measurement.name, runtimes, try take(measurement, of: runtimes.count, settings.rounds, stopwatch))
            }
        } catch {
            Conformance.complain("\(error)")
            exit(2)
        }
    }

    /// The samples of each runtime: a round is one of each, and every round begins with another one.
    private static func take(_ measurement: Bench.Measurement, of count: Int, _ rounds: Int, _ stopwatch: Stopwatch) throws
        -> [[Stopwatch.Time]]
    {
        var samples = [[Stopwatch.Time]](repeating: [], count: count)
        for round in 0...rounds {
            for turn in 0..<count {
                let index = (round + turn) % count
                let time = try stopwatch.time(measurement.launch(index), name: measurement.name)
                if round > 0 { samples[index].append(time) }
            }
        }
        return samples
    }

    private static func report(_ name: String, _ runtimes: [RuntimeUnderTest], _ samples: [[Stopwatch.Time]]) {
        for (index, runtime) in runtimes.enumerated() {
            let columns = [\Stopwatch.Time.wall, \.cpu].map { key in
                let (own, first) = (Spread(samples[index].map { $0[keyPath: key] }), Spread(samples[0].map { $0[keyPath: key] }))
                return "\(own) | \(String(format: "%.2f", own.median / first.median))"
            }
            print("| \(name) | \((runtime.path as NSString).lastPathComponent) | \(columns.joined(separator: " | ")) |")
        }
        fflush(nil)
    }

    /// A median and the quartiles around it.
    private struct Spread: CustomStringConvertible {
        let median, lower, upper: Double

        init(_ values: [Double]) {
            let sorted = values.sorted()
            func part(_ share: Double) -> Double { sorted[Int((Double(sorted.count - 1) * share).rounded())] }
            (lower, median, upper) = (part(0.25), part(0.5), part(0.75))
        }

        var description: String { String(format: "%.1f (%.1f-%.1f)", median, lower, upper) }
    }
}
