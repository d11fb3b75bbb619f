/// What an update asks for: limits from a document or from single options, and where each stands.

import Linux
public import Spec

/// A request to change a container's limits.
public struct UpdateRequest {
    /// The limits; what is absent stays.
    public let resources: Resources
    /// New lines for the `schemata` of the container's class of service, each with the name of its option.
    public var schemata: [(option: String, line: String)] = []
    /// Remarks on the request.
    public let remarks: [String]
    private let place: (Origin) -> Failure.Place?

    /// Takes limits from a JSON text, the object of `linux.resources`.
    ///
    /// - Parameter file: The text's name for people.
    /// - Throws: All that is wrong with it.
    public init(_ text: [UInt8], file: String) throws(Failure) {
        let document: JSONDocument
        do throws(JSONDocument.SyntaxError) { document = try JSONDocument(text) } catch {
            throw Failure(problems: [Diagnostic(error).rendered(file: file, document: nil)])
        }
        let (resources, found) = Resources.decode(document)
        try self.init(resources, found) {
            $0.unmarked(file: file, document: document)
        } place: { origin in
            if origin == .none { return nil }
            let (line, column) = document.position(of: origin)
            return Failure.Place(file: file, pointer: document.pointer(of: origin), line: line, column: column)
        }
    }

    /// Takes limits from options: the origin of each is the number of its option.
    ///
    /// - Parameter options: The options' names.
    public init(_ resources: Resources, options: [String]) throws(Failure) {
        try self.init(resources, []) { diagnostic in
            let node = Int(diagnostic.origin.node)
            return diagnostic.unmarked(file: options.indices.contains(node) ? "--\(options[node])" : "update", document: nil)
        } place: { _ in
            nil
        }
    }

    private init(
        _ resources: Resources, _ found: [Diagnostic], rendered: (Diagnostic) -> String, place: @escaping (Origin) -> Failure.Place?
    ) throws(Failure) {
        let findings = found + resources.validate(isUpdate: true)
        if findings.hasErrors { throw Failure(problems: findings.filter { $0.severity == .error }.map { rendered($0) }) }
        self.resources = resources
        remarks = findings.filter { $0.severity == .warning }.map { rendered($0) }
        self.place = place
    }

    /// Where a limit stands.
    func place(of origin: Origin) -> Failure.Place? { place(origin) }
}
