import Record

/// A record's profiles for a terminal: for each contestant and stage the phases as a tree with bars, the layers, the
/// threads, and how far the figures can be trusted.
public struct ProfileText: Sendable {
  public let text: String

  /// - Parameters:
  ///   - colour: whether the phase that takes most is bold (ANSI escapes).
  ///   - width: columns of the terminal; columns of lesser interest are left out until the tables fit.
  public init(_ record: Record, colour: Bool, width: Int = 100) {
    let blocks = (record.profiles ?? []).map { profile in
      let ceiling = profile.ceiling(among: record.ceilings)
      return Self.blocks(ProfileFigures(profile, ceiling: ceiling), record.model, colour, width)
    }
    text = blocks.map { $0.joined(separator: "\n\n") + "\n" }.joined(separator: "\n")
  }

  private static func blocks(
    _ figures: ProfileFigures, _ model: ModelDescription?, _ colour: Bool, _ width: Int
  ) -> [String] {
    let scale = TimeScale(longestNanoseconds: figures.wallNanoseconds)
    let layers = ProfileLayers(figures, scale: scale)
    let parts = [
      head(figures, model, scale, width),
      ProfileTree(figures, scale: scale).text(colour: colour, width: width),
      layers.text(colour: colour, width: width), threads(figures, scale, colour, width),
      remarks(figures, layers, scale).map { $0.wrapped(to: width) }.joined(separator: "\n"),
    ]
    return parts.filter { !$0.isEmpty }
  }

  private static func head(
    _ figures: ProfileFigures, _ model: ModelDescription?, _ scale: TimeScale, _ width: Int
  ) -> String {
    let profile = figures.profile
    let subject = [
      "\(profile.variant) \(profile.weights)".trimmedEnd, counted(profile.threads, "thread"),
      model?.name.singleLine,
    ].compactMap { $0 }.joined(separator: ", ")
    let speed =
      "\(scale.words(figures.wallNanoseconds)) per \(profile.passWord), "
      + "\(NumberText.significant(figures.tokensPerSecond)) tok/s"
    return "\(subject): \(profile.stageWords), \(speed)".wrapped(to: width)
  }

  /// What each thread did of a pass; empty for one that has nobody to wait for.
  private static func threads(
    _ figures: ProfileFigures, _ scale: TimeScale, _ colour: Bool, _ width: Int
  ) -> String {
    let times = figures.profile.threadTimes
    guard times.count > 1 else { return "" }
    var table = TextTable([
      .init(title: "thread", alignment: .left), .init(title: "", alignment: .left),
      .init(title: "busy", unit: scale.unit), .init(title: "busy", unit: "%"),
      .init(title: "waits", unit: scale.unit),
    ])
    let passes = Double(figures.profile.keptPasses)
    table.rows = times.enumerated().map { index, time in
      let share = figures.share(time.busyNanoseconds / passes)
      return [
        .init(index == 0 ? "0, drives" : "\(index)"), .init(.bar(share: share)),
        .init(scale.text(time.busyNanoseconds / passes)), .init(NumberText.percent(share)),
        .init(scale.text(time.waitNanoseconds / passes)),
      ]
    }
    return table.text(colour: colour, width: width)
  }

  private static func remarks(
    _ figures: ProfileFigures, _ layers: ProfileLayers, _ scale: TimeScale
  ) -> [String] {
    let profile = figures.profile
    let count = profile.passNanoseconds.count
    return [
      figures.coverageSentence, figures.overheadSentence(scale),
      "Means of \(profile.keptPasses) of \(counted(count, "pass", plural: "passes"))"
        + (profile.keptPasses < count ? ", those around the median." : "."),
      profile.threads > 1
        ? "Times are of the thread that drives the pass; rates and shares of the roofline count its wait too, which behind "
          + "a part of an operation is the operation's."
        : nil,
      figures.leastNanoseconds == nil
        ? "No roofline: the record has no ceilings for \(counted(profile.threads, "thread"))."
        : "At best: what the ceilings of this run allow.", layers.remark,
    ].compactMap { $0 }
  }
}
