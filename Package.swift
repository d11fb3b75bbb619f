// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// The toolchain's `usr` directory, found through PATH: an Embedded Swift link needs its Unicode tables by path.
let toolchain: String = {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    for directory in path.split(separator: ":") {
        let compiler = URL(fileURLWithPath: "\(directory)/swiftc")
        if FileManager.default.isExecutableFile(atPath: compiler.path) {
            return compiler.resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent().path
        }
    }
    return "/usr"
}()

#if arch(arm64)
    let architecture = "aarch64"
#else
    let architecture = "x86_64"
#endif

/// Swift's Unicode tables, which an Embedded link names itself.
let unicodeTables = "\(toolchain)/lib/swift/embedded/\(architecture)-unknown-linux-gnu/libswiftUnicodeDataTables.a"

/// The directory of musl, the C library of a release where it is installed; else that is glibc.
///
/// Nothing but libyajl and libseccomp uses it. Its start-up is what tells them apart: glibc's executes dozens of CPUID instructions, each
/// of which traps in a virtual machine.
let musl = "/usr/lib/\(architecture)-linux-musl"
let hasMusl = FileManager.default.fileExists(atPath: "\(musl)/libc.a")

/// The commit of the sources, which `make` passes: the manifest cannot look for itself, for what it finds is kept until it changes.
let commit = Context.environment["SWOCI_COMMIT"].flatMap { $0.isEmpty ? nil : $0 }

/// Arguments for the linker itself, whose order the compiler driver keeps.
func linker(_ arguments: String...) -> [String] {
    arguments.flatMap { ["-Xlinker", $0] }
}

/// The order of functions: those that a container's life runs through lie side by side.
///
/// `make link-order` writes it down anew. A name that is none any more does no harm.
let linkOrder = linker("--section-ordering-file", "\(Context.packageDirectory)/Sources/link-order.txt")

let productLink: [String] =
    hasMusl
    ? ["-nostartfiles", "-Xclang-linker", "-nostdlib", "-Xclang-linker", "-static"]
        + linker("\(musl)/crt1.o", "\(musl)/crti.o", "--start-group", "-lyajl_s", "-lseccomp", unicodeTables, "\(musl)/libc.a", "-lgcc")
        + linker("--end-group", "\(musl)/crtn.o", "--gc-sections", "-s") + linkOrder
    : ["-nostartfiles", "-static-executable"] + linker("--gc-sections", "-s", "-lyajl_s", "-lseccomp", unicodeTables) + linkOrder

/// What makes a debug build's program an ordinary Swift one: the registration of its types with Swift's runtime, and where that is found.
///
/// The driver leaves both out of a link that names the Embedded feature, as that of a target does which has it in one configuration.
let debugLink: [LinkerSetting] = [
    .unsafeFlags(
        linker("\(toolchain)/lib/swift/linux/\(architecture)/swiftrt.o", "-rpath=\(toolchain)/lib/swift/linux"),
        .when(configuration: .debug))
]

/// The language's rules.
///
/// A release build is Embedded Swift: no runtime, no metadata, no existentials. Debug builds and tests are ordinary Swift over the same
/// sources. Dropping the "Embedded" line (and the link settings below) gives an ordinary static Swift release.
let rules: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
    .enableExperimentalFeature("Embedded", .when(configuration: .release)),
    .unsafeFlags(
        ["-wmo", "-Osize", "-Xfrontend", "-function-sections", "-Xfrontend", "-disable-stack-protector"], .when(configuration: .release)),
]

/// What every Swift target is compiled with, but the one with the functions that all others see without a word (`Sources/Outlined`).
let language = rules + [.unsafeFlags(["-Xfrontend", "-import-module", "-Xfrontend", "Outlined"])]

/// A program's own: its entry is a C function, so that it gets its arguments without the Swift runtime.
let program: [SwiftSetting] = language + [.unsafeFlags(["-parse-as-library"])]

let hosted: [SwiftSetting] = [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]

let package = Package(
    name: "swoci",
    products: [
        .executable(name: "swoci", targets: ["swoci"]),
        .executable(name: "swoci-init", targets: ["swoci-init"]),
        .executable(name: "conformance", targets: ["conformance"]),
    ],
    targets: [
        .systemLibrary(name: "CYajl", providers: [.apt(["libyajl-dev"])]),
        .systemLibrary(name: "CSeccomp", providers: [.apt(["libseccomp-dev"])]),
        .target(name: "CLinux"),
        .target(
            name: "CMusl",
            cSettings: [.unsafeFlags(hasMusl ? ["-fno-builtin", "-DMUSL"] : [], .when(configuration: .release))]),
        .target(
            name: "CInit",
            cSettings: [
                .define("HOSTED", .when(configuration: .debug)),
                .unsafeFlags(["-ffreestanding", "-fno-builtin", "-fno-stack-protector", "-Os"]),
            ]),
        .target(name: "CBuild", cSettings: commit.map { [.define("SWOCI_COMMIT", to: "\"\($0)\"")] } ?? []),
        .target(name: "Outlined", swiftSettings: rules),
        .target(name: "Linux", dependencies: ["CLinux", "Outlined"], swiftSettings: language),
        .target(name: "DBus", dependencies: ["Linux", "Outlined"], swiftSettings: language),
        .target(name: "Plan", dependencies: ["Linux", "Outlined"], swiftSettings: language),
        .target(name: "Spec", dependencies: ["CYajl", "Outlined"], swiftSettings: language),
        .target(name: "Cgroups", dependencies: ["CLinux", "DBus", "Linux", "Spec", "Outlined"], swiftSettings: language),
        .target(
            name: "Runtime", dependencies: ["CLinux", "Cgroups", "CSeccomp", "Linux", "Plan", "Spec", "Outlined"], swiftSettings: language),
        .executableTarget(
            name: "swoci",
            dependencies: ["CBuild", "CMusl", "Linux", "Plan", "Runtime", "Spec", "Outlined"],
            swiftSettings: program,
            linkerSettings: debugLink + [.unsafeFlags(productLink, .when(configuration: .release))]),
        .executableTarget(
            name: "swoci-init",
            dependencies: ["CInit", "CLinux", "Linux", "Plan", "Outlined"],
            path: "Sources/Init",
            swiftSettings: program + [.unsafeFlags(["-Osize"], .when(configuration: .release))],
            linkerSettings: debugLink + [
                .unsafeFlags(
                    [
                        "-nostartfiles", "-Xclang-linker", "-nostdlib", "-Xclang-linker", "-static", "-Xlinker", "--gc-sections",
                        "-Xlinker", "-s", "-Xlinker", "--build-id=none",
                    ], .when(configuration: .release))
            ]),
        .executableTarget(
            name: "conformance", path: "conformance",
            exclude: [
                "README.md", "engines/README.md", "engines/debian", "engines/kubelet", "engines/stream", "engines/table", "faults", "table",
                "vm",
            ],
            swiftSettings: hosted),
        .testTarget(name: "OutlinedTests", dependencies: ["Outlined"], swiftSettings: hosted),
        .testTarget(name: "SpecTests", dependencies: ["Spec"], resources: [.copy("Configs")], swiftSettings: hosted),
        .testTarget(name: "PlanTests", dependencies: ["Plan"], swiftSettings: hosted),
        .testTarget(name: "LinuxTests", dependencies: ["CLinux", "CMusl", "Linux"], swiftSettings: hosted),
        .testTarget(name: "DBusTests", dependencies: ["DBus", "Linux"], swiftSettings: hosted),
        .testTarget(name: "CgroupsTests", dependencies: ["Cgroups", "DBus", "Spec"], swiftSettings: hosted),
        .testTarget(
            name: "RuntimeTests", dependencies: ["CLinux", "Cgroups", "Linux", "Plan", "Runtime", "Spec", "swoci"], exclude: ["Golden"],
            swiftSettings: hosted),
        .testTarget(name: "InitTests", dependencies: ["CLinux", "Linux", "Plan"], swiftSettings: hosted),
    ],
    cLanguageStandard: .gnu17
)
