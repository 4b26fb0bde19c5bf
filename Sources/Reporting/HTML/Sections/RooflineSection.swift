import Record
import Statistics

extension PageSection {
  /// Attained speed over arithmetic intensity, under the ceilings of this run: a point an operation where the record has
  /// profiles, otherwise a point a test.
  static func rooflines(_ context: PageContext) -> PageSection? {
    let profiled = ofProfiles(context)
    let figures = profiled.isEmpty ? ofCells(context) : profiled
    let note =
      "The flat line is the FMA peak, the slopes are what each level of memory delivers, both measured in this run with "
      + "as many threads. A point below a slope waits for memory, one under the flat line for arithmetic; the distance "
      + "upwards is what a better kernel could gain."
    let tables = profiled.isEmpty ? work(context) : operations(context)
    return PageSection(
      id: "roofline", title: "How near to the machine's limits",
      figures.isEmpty ? tables : [.note(note), .charts(figures)] + tables)
  }

  private static func ofProfiles(_ context: PageContext) -> [Markup] {
    ProfileGroupOfRuns.all(context.profiles).flatMap { group in
      context.ceilings.compactMap { ceiling -> Markup? in
        let own = group.profiles.filter { $0.profile.threads == ceiling.threads }
        let series = own.enumerated().map { place, profile in
          RooflineChart.Series(
            name: context.name(of: profile.contestant),
            points: profile.phases.compactMap { phase in
              phase.intensity.flatMap { intensity in
                phase.gflops.map {
                  RooflineChart.Point(
                    name: phase.phase.title, intensity: intensity, gflops: $0, isLabelled: place == 0)
                }
              }
            }, style: context.style(of: profile.contestant))
        }
        return figure(
          series, ceiling, id: "roofline-\(group.id)-\(ceiling.threads)",
          subject: "\(group.words), \(counted(ceiling.threads, "thread"))",
          note: "A point for each operation that both computes and moves something; named are those of the "
            + "fastest variant.")
      }
    }
  }

  private static func ofCells(_ context: PageContext) -> [Markup] {
    let rows = context.run.ranked.filter { $0.figures.intensity != nil && $0.figures.gflops != nil }
    return context.ceilings.compactMap { ceiling -> Markup? in
      let own = rows.filter { $0.cell.threads == ceiling.threads }
      let contestants = own.map(\.contestant).uniqued()
      let series = contestants.enumerated().map { place, contestant in
        RooflineChart.Series(
          name: context.name(of: contestant),
          points: own.filter { $0.contestant == contestant }.compactMap { row in
            row.figures.intensity.flatMap { intensity in
              row.figures.gflops.map {
                RooflineChart.Point(
                  name: row.cell.test.name, intensity: intensity, gflops: $0, isLabelled: place == 0)
              }
            }
          }, style: context.style(of: contestant))
      }
      return figure(
        series, ceiling, id: "roofline-\(ceiling.threads)", subject: counted(ceiling.threads, "thread"),
        note: "A point for each test; named are those of the fastest variant.")
    }
  }

  private static func figure(
    _ series: [RooflineChart.Series], _ ceiling: Ceiling, id: String, subject: String, note: String
  ) -> Markup? {
    let filled = series.filter { !$0.points.isEmpty }
    guard !filled.isEmpty, ceiling.computeRoof > 0 else { return nil }
    let slopes = ceiling.slopes
    let roofs =
      ["FMA peak \(NumberText.significant(ceiling.computeRoof)) GFLOP/s"]
      + slopes.map { "\($0.level) \(NumberText.significant($0.gbPerSecond)) GB/s" }
    return .figure(
      RooflineChart(series: filled, peak: ceiling.computeRoof, slopes: slopes).chart(
        id: id, title: "Roofline, \(subject): GFLOP/s over FLOP per byte",
        description: "Ceilings: \(roofs.joined(separator: ", ")). Points: "
          + filled.map { "\($0.name): \($0.points.count)" }.joined(separator: "; ")
          + ". The tables below hold every figure."),
      caption: "Roofline, \(subject)", note: note)
  }

  private static func work(_ context: PageContext) -> [Markup] {
    let rows = context.run.ranked.filter { $0.figures.gflops != nil || $0.figures.gbPerSecond != nil }
    guard !rows.isEmpty else { return [] }
    let columns: [Column] = [
      .variant, .threads, .test, .gflops, .gbPerSecond, .intensity, .roofline, .roof,
    ]
    return [
      .details(
        "The figures as a table", [.scrolling(MarkdownTable(columns, rows), label: "work and roofline")])
    ]
  }

  /// A table of operations for each profile, and the tests' own figures.
  private static func operations(_ context: PageContext) -> [Markup] {
    ProfileGroupOfRuns.all(context.profiles).map { group in
      .details(
        "Every operation, \(group.words)",
        group.profiles.flatMap { profile -> [Markup] in
          var table = MarkdownTable([
            ("operation", .left), ("calls", .right), ("µs a pass", .right), ("waiting µs", .right),
            ("MFLOP", .right), ("MB", .right), ("GFLOP/s", .right), ("GB/s", .right), ("FLOP/B", .right),
            ("% of the roofline", .right), ("roof", .left), ("least µs", .right),
          ])
          table.rows = profile.phases.map(cells)
          let name = context.name(of: profile.contestant)
          return [
            .element("h3", text: name), .scrolling(table, label: "operations of \(name), \(group.words)"),
          ]
        })
    } + work(context)
  }

  private static func cells(_ phase: PhaseFigures) -> [String] {
    func text(_ value: Double?, _ scale: Double = 1) -> String {
      value.map { NumberText.significant($0 * scale, 3) } ?? ""
    }
    return [
      phase.phase.title, text(phase.calls), text(phase.nanoseconds, 1e-3), text(phase.waitNanoseconds, 1e-3),
      text(phase.flops > 0 ? phase.flops : nil, 1e-6), text(phase.bytes > 0 ? phase.bytes : nil, 1e-6),
      text(phase.gflops), text(phase.gbPerSecond), text(phase.intensity), text(phase.rooflinePercent),
      phase.roof?.words ?? "", text(phase.leastNanoseconds, 1e-3),
    ]
  }
}

extension Ceiling {
  /// Every level of memory with its roof, nearest first.
  fileprivate var slopes: [(level: String, gbPerSecond: Double)] {
    let levels = (memory ?? []).compactMap { level in
      quantile(level.trials, Self.roofQuantile).map { (level: level.level, gbPerSecond: $0) }
    }
    return (levels.isEmpty ? [(Self.dram, dramGBPerSecond)] : levels).filter { $0.gbPerSecond > 0 }
  }
}
