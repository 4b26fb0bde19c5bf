import Record

extension PageContext {
  /// Attained speed over arithmetic intensity, a point an operation where the record has profiles, else a point a test.
  var rooflines: Section? {
    let narrow =
      ceilings.contains { !($0.products ?? []).isEmpty }
      ? "Narrower weights have flat lines of their own: what the instructions named there can do. " : ""
    let profiled = rooflinesOfProfiles
    let charts = profiled.isEmpty ? rooflinesOfCells : profiled
    let note: Prose =
      "The flat line is the FMA peak, and the slopes are what each level of memory delivers. \(narrow)Both were "
      + "measured in this run with as many threads. Memory limits a point below a slope; arithmetic limits one below "
      + "the flat line. The distance upwards is what a better kernel could gain. Names stand at the points of the fastest variant."
    let tables = profiled.isEmpty ? work : operations
    return Section(
      id: "roofline", title: "How near to the machine's limits",
      charts.isEmpty ? tables : [.note(note), .charts(charts)] + tables)
  }

  /// A contestant's points, each with FLOP per byte and GFLOP/s; nil where it does not compute or move anything. `percent`
  /// is its share of its own roof.
  private typealias Course = (
    contestant: MeasuredVariant,
    points: [(name: String, intensity: Double?, gflops: Double?, percent: Double?)]
  )

  private var rooflinesOfProfiles: [Figured] {
    stages.flatMap { group in
      ceilings.compactMap { ceiling in
        let own = group.profiles.filter { $0.profile.threads == ceiling.threads }
        return roofline(
          own.map { profile in
            (
              profile.contestant,
              profile.phases.map {
                ($0.phase.title, $0.work.intensity, $0.work.gflops, $0.work.rooflinePercent)
              }
            )
          }, ceiling, id: "roofline-\(group.id)-\(ceiling.threads)",
          subject: "\(group.words), \(counted(ceiling.threads, "thread"))",
          note: "Each operation that both computes and moves data is a point.")
      }
    }
  }

  private var rooflinesOfCells: [Figured] {
    let measured = run.ranked.filter { $0.figures.intensity != nil && $0.figures.gflops != nil }
    return ceilings.compactMap { ceiling in
      let own = measured.filter { $0.cell.threads == ceiling.threads }
      return roofline(
        own.map(\.contestant).uniqued().map { contestant in
          let rows = own.filter { $0.contestant == contestant }
          return (
            contestant,
            rows.map {
              ($0.cell.test.name, $0.figures.intensity, $0.figures.gflops, $0.figures.rooflinePercent)
            }
          )
        }, ceiling, id: "roofline-\(ceiling.threads)", subject: counted(ceiling.threads, "thread"),
        note: "Each test is a point.")
    }
  }

  private func roofline(
    _ courses: [Course], _ ceiling: Ceiling, id: String, subject: String, note: String
  ) -> Figured? {
    let filled = courses.enumerated().map { place, course in
      RooflineChart.Series(
        name: name(of: course.contestant),
        points: course.points.compactMap { point in
          guard let intensity = point.intensity, let gflops = point.gflops else { return nil }
          return RooflineChart.Point(
            name: point.name, intensity: intensity, gflops: gflops, isLabelled: place == 0)
        }, style: style(of: course.contestant))
    }.filter { !$0.points.isEmpty }
    guard !filled.isEmpty, ceiling.computeRoof > 0 else { return nil }
    let slopes = ceiling.slopes
    let peaks =
      [("FMA peak", ceiling.computeRoof)] + (ceiling.products ?? []).map { ($0.words, $0.roof) }
    let roofs =
      peaks.map { "\($0) \(NumberText.significant($1)) GFLOP/s" }
      + slopes.map { "\($0.level) \(NumberText.significant($0.gbPerSecond)) GB/s" }
    return Figured(
      chart: RooflineChart(series: filled, peaks: peaks, slopes: slopes).chart(
        id: id, title: "Roofline, \(subject): GFLOP/s over FLOP per byte",
        description: "Ceilings: \(roofs.joined(separator: ", ")). Points: "
          + filled.map { "\($0.name): \($0.points.count)" }.joined(separator: "; ")
          + ". The tables below hold every figure."),
      caption: "Roofline, \(subject)", note: ([note] + remarks(courses, ceiling)).joined(separator: " "))
  }

  /// Why points lie above the line of the farthest memory, where some do.
  private func remarks(_ courses: [Course], _ ceiling: Ceiling) -> [String] {
    let far = ceiling.memoryRoof(holding: nil)
    let above = courses.flatMap { course in
      course.points.compactMap { point -> (name: String, of: MeasuredVariant, percent: Double)? in
        guard let intensity = point.intensity, let gflops = point.gflops,
          gflops > intensity * far.gbPerSecond
        else { return nil }
        return (point.name, course.contestant, point.percent ?? 0)
      }
    }
    let cached = above.filter { $0.percent <= 100 }.map(\.name).uniqued()
    let beyond = above.filter { $0.percent > 100 }.map {
      "\($0.name) of \($0.of.variant) (\(NumberText.fixed($0.percent, 0)) %)"
    }
    return [
      cached.isEmpty
        ? ""
        : "Points above the \(far.level) line: \(Self.list(cached)); a nearer memory, a cache, held their bytes.",
      beyond.isEmpty
        ? ""
        : "Points above their own roof: \(Self.list(beyond)); it was measured too low, or in a worse moment.",
    ].filter { !$0.isEmpty }
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(8).joined(separator: ", ")
    return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
  }

  private var work: [Block] {
    [.details("The figures as a table", [.table(report.workTable, label: "work and roofline")])]
  }

  private var operations: [Block] {
    stages.map { group in
      .details(
        "Every operation, \(group.words)",
        group.profiles.flatMap { profile -> [Block] in
          let name = name(of: profile.contestant)
          return [
            .heading(Prose(name)),
            .table(
              Table(Column.operations, profile.phases.map { ProfileRow($0, of: profile) }),
              label: "operations of \(name), \(group.words)"),
          ]
        })
    } + work
  }
}
