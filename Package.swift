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
    let triple = "aarch64-unknown-linux-gnu"
#else
    let triple = "x86_64-unknown-linux-gnu"
#endif

/// What every Swift target is compiled with. A release build is Embedded Swift: no runtime, no metadata, no existentials.
/// Debug builds and tests are ordinary Swift over the same sources. Dropping the "Embedded" line (and the link settings
/// below) gives an ordinary static Swift release.
let language: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
    .enableExperimentalFeature("Embedded", .when(configuration: .release)),
    .unsafeFlags(["-wmo", "-Osize", "-Xfrontend", "-function-sections", "-Xfrontend", "-disable-stack-protector"], .when(configuration: .release)),
]

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
            name: "CInit",
            cSettings: [
                .define("HOSTED", .when(configuration: .debug)),
                .unsafeFlags(["-ffreestanding", "-fno-builtin", "-fno-stack-protector", "-Os"]),
            ]),
        .target(name: "Linux", dependencies: ["CLinux"], swiftSettings: language),
        .target(name: "Plan", dependencies: ["Linux"], swiftSettings: language),
        .target(name: "Spec", dependencies: ["CYajl"], swiftSettings: language),
        .target(name: "Cgroups", dependencies: ["CLinux", "Linux", "Spec"], swiftSettings: language),
        .target(name: "Runtime", dependencies: ["CLinux", "Cgroups", "CSeccomp", "Linux", "Plan", "Spec"], swiftSettings: language),
        .executableTarget(
            name: "swoci",
            dependencies: ["Linux", "Plan", "Runtime", "Spec"],
            swiftSettings: program,
            linkerSettings: [
                .linkedLibrary("yajl_s"), .linkedLibrary("seccomp"),
                .unsafeFlags(
                    [
                        "-nostartfiles", "-static-executable", "-Xlinker", "--gc-sections", "-Xlinker", "-s",
                        "\(toolchain)/lib/swift/embedded/\(triple)/libswiftUnicodeDataTables.a",
                    ], .when(configuration: .release)),
            ]),
        .executableTarget(
            name: "swoci-init",
            dependencies: ["CInit", "CLinux", "Linux", "Plan"],
            path: "Sources/Init",
            swiftSettings: program + [.unsafeFlags(["-Osize"], .when(configuration: .release))],
            linkerSettings: [
                .unsafeFlags(
                    [
                        "-nostartfiles", "-Xclang-linker", "-nostdlib", "-Xclang-linker", "-static", "-Xlinker", "--gc-sections",
                        "-Xlinker", "-s", "-Xlinker", "--build-id=none",
                    ], .when(configuration: .release))
            ]),
        .executableTarget(name: "conformance", path: "conformance", exclude: ["README.md", "faults"], swiftSettings: hosted),
        .testTarget(name: "SpecTests", dependencies: ["Spec"], resources: [.copy("Configs")], swiftSettings: hosted),
        .testTarget(name: "PlanTests", dependencies: ["Plan"], swiftSettings: hosted),
        .testTarget(name: "LinuxTests", dependencies: ["CLinux", "Linux"], swiftSettings: hosted),
        .testTarget(name: "CgroupsTests", dependencies: ["Cgroups", "Spec"], swiftSettings: hosted),
        .testTarget(
            name: "RuntimeTests", dependencies: ["CLinux", "Linux", "Plan", "Runtime", "Spec", "swoci"], exclude: ["Golden"],
            swiftSettings: hosted),
        .testTarget(name: "InitTests", dependencies: ["CLinux", "Linux", "Plan"], swiftSettings: hosted),
    ],
    cLanguageStandard: .gnu17
)
