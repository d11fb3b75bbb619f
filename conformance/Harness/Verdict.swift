/// What one try of a case or a scenario came to.

import Foundation

enum Verdict: Equatable {
    case passed
    case skipped(String)
    case failed(String)

    /// The verdict on a body: what it throws is why.
    init(of body: () throws -> Void) {
        do {
            try body()
            self = .passed
        } catch let reason as Skip {
            self = .skipped(reason.reason)
        } catch let failure as Failure {
            self = .failed(failure.message)
        } catch let timeout as TimedOut {
            self = .failed("no end in time: \(timeout.what)")
        } catch {
            self = .failed("\(error)")
        }
    }
}
