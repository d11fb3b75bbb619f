/// The limits in force: those of the config, or what updates made of them.
///
/// An update writes down the new limits and its way back in `resources.json.new` before it touches the cgroup, and renames that file
/// to `resources.json` when all is set. Whoever finds the new file has found an update that died, and takes it back first.

import Cgroups
import Linux
import Spec

/// The content of `resources.json`.
struct RecordedResources: Equatable {
    /// The limits in force.
    var resources: Resources
    /// What takes an unfinished update back.
    var undo: [CgroupUndo] = []

    /// The file's text.
    var encoded: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.name("resources")
            resources.write(to: &writer)
            writer.array("undo") { writer in
                for step in undo {
                    writer.object { writer in
                        writer.member("file", step.path)
                        writer.member("value", step.value)
                    }
                }
            }
        }
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    /// Makes a content.
    init(resources: Resources, undo: [CgroupUndo] = []) {
        self.resources = resources
        self.undo = undo
    }

    /// Reads a text; nil for one that was not written to its end.
    init?(_ text: [UInt8]) {
        guard let document = try? JSONDocument(text), let object = document.root["resources"], let undo = document.root["undo"] else {
            return nil
        }
        resources = Resources.decode(document, at: object).resources
        for step in undo.elements {
            guard let path = step["file"]?.string, let value = step["value"]?.string else { return nil }
            self.undo.append(CgroupUndo(path: path, value: value))
        }
    }
}

extension Entry {
    /// The limits in force.
    func readResources() throws(Failure) -> Resources {
        if let text = try read(File.resources) {
            guard let recorded = RecordedResources(text) else {
                throw Failure("read the container's limits", "\(path)/\(File.resources)", detail: "the file is damaged")
            }
            return recorded.resources
        }
        let text = try readConfig()
        do throws(JSONDocument.SyntaxError) {
            return Config.decode(try JSONDocument(text)).config.linux.resources ?? Resources()
        } catch {
            throw Failure("read the container's limits", "\(path)/\(File.config)", detail: error.message)
        }
    }

    /// The update that died before it was done; nil: there is none.
    func readUnfinishedUpdate() throws(Failure) -> RecordedResources? {
        // One that was not even written down has changed nothing.
        try read(File.newResources).flatMap { RecordedResources($0) }
    }

    /// Writes down an update that is about to be made.
    func beginUpdate(_ recorded: RecordedResources) throws(Failure) {
        try write(recorded.encoded, to: File.newResources, [.create, .truncate])
    }

    /// Makes the update that was begun the limits in force.
    func finishUpdate() throws(Failure) {
        do { try rename(File.newResources, to: File.resources) } catch {
            throw Failure("replace the container's limits", "\(path)/\(File.resources)", errno: error)
        }
    }

    /// Forgets the update that was begun and taken back.
    func dropUpdate() throws(Failure) {
        do { try unlink(File.newResources) } catch {
            throw Failure("remove the update that was taken back", "\(path)/\(File.newResources)", errno: error)
        }
    }
}
