import Foundation
import Record
import Statistics

/// What speaks against a profile's figures: more than all of a roof, and a time that the rounds did not measure.
extension ProfileFigures {
  /// A profile and the rounds may differ by this share before a report says so.
  static let mostDifference = 0.1
  /// Work that differs by more, as that of a longer sequence does, is not held against each other.
  private static let mostOtherWork = 0.25

  /// In a sentence; nil where nothing does.
  ///
  /// - Parameter run: whose rounds measured the same; nil for a profile alone.
  func doubt(_ run: RunFigures? = nil) -> Prose? {
    let found = [aboveARoof, run.flatMap(besideTheRounds)].compactMap { $0 }
    return found.isEmpty
      ? nil : "\(contestant.prose), \(profile.stageWords): \(found.joined(separator: "; "))."
  }

  private var aboveARoof: Prose? {
    let parts = phases.filter { $0.phase != .other }.map { (name: $0.phase.title, work: $0.work) }
    let above = (parts + [("a whole \(profile.passWord)", pass)]).compactMap { name, work -> String? in
      guard let percent = work.rooflinePercent, percent > 100 else { return nil }
      return "\(name) \(NumberText.fixed(percent, 0)) %"
    }
    return above.isEmpty
      ? nil : "above the roofline, so that the roof was measured too low: \(above.joined(separator: ", "))"
  }

  /// The cell of the same contestant and stage whose work is the most like this pass's, in the time that the work
  /// of this pass would take at its rate.
  private func besideTheRounds(_ run: RunFigures) -> Prose? {
    guard let least = leastNanoseconds else { return nil }
    let cells = run.rows.filter {
      $0.contestant == contestant && $0.cell.test.stage == profile.stage && $0.cell.test.batch == 1
    }
    let known = cells.compactMap { row -> (work: Double, nanoseconds: Double, test: String)? in
      guard let bound = row.figures.bound?.nanoseconds, let time = median(row.cell.primaryDurations)
      else { return nil }
      return (least / bound, time * least / bound, row.cell.test.name)
    }
    guard let nearest = known.min(by: { abs(log($0.work)) < abs(log($1.work)) }),
      abs(nearest.work - 1) <= Self.mostOtherWork
    else { return nil }
    let difference = wallNanoseconds / nearest.nanoseconds - 1
    guard abs(difference) > Self.mostDifference else { return nil }
    let scale = TimeScale(longestNanoseconds: wallNanoseconds)
    return """
      the profile has \(scale.words(wallNanoseconds)) per \(profile.passWord), \
      \(NumberText.signedPercent(difference)) against what the rounds measured (`\(nearest.test)`)
      """
  }
}
