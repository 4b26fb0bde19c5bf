import Record
import Statistics

extension PageContext {
  /// Attained speed over arithmetic intensity, under the ceilings of this run: a point an operation where the record has
  /// profiles, otherwise a point a test.
  var rooflines: Section? {
    let profiled = rooflinesOfProfiles
    let charts = profiled.isEmpty ? rooflinesOfCells : profiled
    let note: Prose =
      "The flat line is the FMA peak, and the slopes are what each level of memory delivers. Both were measured in "
      + "this run with as many threads. Memory limits a point below a slope; arithmetic limits one below the flat "
      + "line. The distance upwards is what a better kernel could gain."
    let tables = profiled.isEmpty ? work : operations
    return Section(
      id: "roofline", title: "How near to the machine's limits",
      charts.isEmpty ? tables : [.note(note), .charts(charts)] + tables)
  }

  private var rooflinesOfProfiles: [Figured] {
    stages.flatMap { group in
      ceilings.compactMap { ceiling -> Figured? in
        let own = group.profiles.filter { $0.profile.threads == ceiling.threads }
        let series = own.enumerated().map { place, profile in
          RooflineChart.Series(
            name: name(of: profile.contestant),
            points: profile.phases.compactMap { phase in
              phase.work.intensity.flatMap { intensity in
                phase.work.gflops.map {
                  RooflineChart.Point(
                    name: phase.phase.title, intensity: intensity, gflops: $0, isLabelled: place == 0)
                }
              }
            }, style: style(of: profile.contestant))
        }
        return Self.rooflines(
          series, ceiling, id: "roofline-\(group.id)-\(ceiling.threads)",
          subject: "\(group.words), \(counted(ceiling.threads, "thread"))",
          note:
            "Each operation that both computes and moves data is a point. Only the points of the fastest variant have "
            + "names."
        )
      }
    }
  }

  private var rooflinesOfCells: [Figured] {
    let rows = run.ranked.filter { $0.figures.intensity != nil && $0.figures.gflops != nil }
    return ceilings.compactMap { ceiling -> Figured? in
      let own = rows.filter { $0.cell.threads == ceiling.threads }
      let contestants = own.map(\.contestant).uniqued()
      let series = contestants.enumerated().map { place, contestant in
        RooflineChart.Series(
          name: name(of: contestant),
          points: own.filter { $0.contestant == contestant }.compactMap { row in
            row.figures.intensity.flatMap { intensity in
              row.figures.gflops.map {
                RooflineChart.Point(
                  name: row.cell.test.name, intensity: intensity, gflops: $0, isLabelled: place == 0)
              }
            }
          }, style: style(of: contestant))
      }
      return Self.rooflines(
        series, ceiling, id: "roofline-\(ceiling.threads)", subject: counted(ceiling.threads, "thread"),
        note: "Each test is a point. Only the points of the fastest variant have names.")
    }
  }

  private static func rooflines(
    _ series: [RooflineChart.Series], _ ceiling: Ceiling, id: String, subject: String, note: String
  ) -> Figured? {
    let filled = series.filter { !$0.points.isEmpty }
    guard !filled.isEmpty, ceiling.computeRoof > 0 else { return nil }
    let slopes = ceiling.slopes
    let roofs =
      ["FMA peak \(NumberText.significant(ceiling.computeRoof)) GFLOP/s"]
      + slopes.map { "\($0.level) \(NumberText.significant($0.gbPerSecond)) GB/s" }
    return Figured(
      chart: RooflineChart(series: filled, peak: ceiling.computeRoof, slopes: slopes).chart(
        id: id, title: "Roofline, \(subject): GFLOP/s over FLOP per byte",
        description: "Ceilings: \(roofs.joined(separator: ", ")). Points: "
          + filled.map { "\($0.name): \($0.points.count)" }.joined(separator: "; ")
          + ". The tables below hold every figure."),
      caption: "Roofline, \(subject)", note: note)
  }

  private var work: [Block] {
    report.workTable.map {
      [.details("The figures as a table", [.table($0, label: "work and roofline")])]
    } ?? []
  }

  /// A table of operations for each profile, and the tests' own figures.
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

extension Ceiling {
  /// Every level of memory with its roof, nearest first.
  fileprivate var slopes: [(level: String, gbPerSecond: Double)] {
    let levels = (memory ?? []).compactMap { level in
      quantile(level.trials, Self.roofQuantile).map { (level: level.level, gbPerSecond: $0) }
    }
    return (levels.isEmpty ? [(Self.dram, dramGBPerSecond)] : levels).filter { $0.gbPerSecond > 0 }
  }
}
