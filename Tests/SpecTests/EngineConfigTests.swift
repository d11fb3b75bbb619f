import Testing

@testable import Spec

@Suite("Configs that engines write")
struct EngineConfigTests {
    @Test("every config of podman, docker, buildah and containerd is free of errors")
    func configs() throws {
        let configs = try engineConfigs { !$0.hasPrefix("process-") }
        #expect(configs.count == 40)
        for (name, text) in configs {
            let document = try JSONDocument(text)
            let (config, diagnostics) = Config.check(document)
            let lines = diagnostics.map { $0.rendered(file: name, document: document) }
            #expect(!diagnostics.hasErrors, "\(lines)")
            #expect(config.root != nil && config.process?.args.isEmpty == false && config.linux.namespace(.mount) != nil)
            let unknown = lines.filter { $0.contains("unknown property") }
            #expect(unknown.isEmpty, "\(unknown)")
        }
    }

    @Test("every process that engines hand to exec is free of errors")
    func processes() throws {
        let processes = try engineConfigs { $0.hasPrefix("process-") }
        #expect(processes.count == 3)
        for (name, text) in processes {
            let document = try JSONDocument(text)
            let (process, diagnostics) = Process.decode(document)
            let all = diagnostics + process.validate(linux: Linux())
            #expect(!all.hasErrors, "\(all.map { $0.rendered(file: name, document: document) })")
            #expect(!process.args.isEmpty)
        }
    }
}
