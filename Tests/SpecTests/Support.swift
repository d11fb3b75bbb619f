import Foundation
import Testing

@testable import Spec

/// Parses a text that must be JSON.
func document(_ text: String) throws -> JSONDocument { try JSONDocument(Array(text.utf8)) }

/// The findings of a config, one line each: decoding and validation together.
func findings(_ text: String) throws -> [String] {
    let document = try document(text)
    return Config.check(document).diagnostics.map { $0.rendered(document: document) }
}

/// A config that is fine but for what is put in: members of the root and of `linux`.
func config(root: String = "", process: String? = nil, namespaces: String = "", linux: String = "") -> String {
    let process = process ?? #""cwd":"/","args":["sh"]"#
    let head = #"{"ociVersion":"1.3.0","root":{"path":"rootfs"},"process":{\#(process)},"#
    return head + #""linux":{"namespaces":[{"type":"mount"}\#(namespaces)]\#(linux)}\#(root)}"#
}

/// The texts of the engines' configs by name.
func engineConfigs(where isWanted: (String) -> Bool) throws -> [(name: String, text: [UInt8])] {
    let directory = try #require(Bundle.module.resourceURL).appendingPathComponent("Configs")
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasSuffix(".json") && isWanted($0) }
        .sorted()
    return try names.map { ($0, [UInt8](try Data(contentsOf: directory.appendingPathComponent($0)))) }
}
