import Record

/// What rows need that are still to be measured.
public struct PairedDemand: Sendable, Equatable {
  /// Indices of units whose samples are wanted.
  public var units: Set<Int>
  /// Indices of contestants whose peak memory is wanted: of them every unit has to run.
  public var memory: Set<Int>
  /// Indices of contestants whose load time is wanted.
  public var loads: Set<Int>

  public init(units: Set<Int>, memory: Set<Int>, loads: Set<Int>) {
    self.units = units
    self.memory = memory
    self.loads = loads
  }

  /// What every row needs that the record's filter keeps.
  ///
  /// - Throws: `OptionError` where the record's filter is none.
  public init(ofAllRowsOf record: PairedRecord) throws(OptionError) {
    let filter = try record.filter
    self.init(of: record.series(.search).filter { filter?.keeps($0.label) ?? true }, in: record)
  }

  init(of series: [PairedSeries], in record: PairedRecord) {
    units = Set(
      record.units.indices.filter { unit in
        let contestant = Contestant(record.contestants[record.units[unit].contestant])
        return series.contains { $0.contestant == contestant && $0.test == record.units[unit].test }
      })
    func contestants(_ metric: Metric) -> Set<Int> {
      Set(
        record.contestants.indices.filter { index in
          let contestant = Contestant(record.contestants[index])
          return series.contains { $0.contestant == contestant && $0.metric == metric }
        })
    }
    memory = contestants(.peakMemory)
    loads = contestants(.warmLoad)
  }

  public var isEmpty: Bool { units.isEmpty && memory.isEmpty && loads.isEmpty }

  /// Without the contestants that can no longer be measured.
  public func without(lost: [LostContestant], units all: [PairedUnit]) -> PairedDemand {
    let out = Set(lost.map(\.contestant))
    return PairedDemand(
      units: units.filter { !out.contains(all[$0].contestant) }, memory: memory.subtracting(out),
      loads: loads.subtracting(out))
  }
}

extension PairedRecord {
  /// Nil for all rows.
  var filter: RowFilter? {
    get throws(OptionError) {
      guard let text = settings.rows else { return nil }
      return try RowFilter(parsing: text)
    }
  }

  /// - Throws: `OptionError` where the filter keeps no row that the record can have.
  public func refuseEmptyFilter() throws(OptionError) {
    guard let filter = try filter else { return }
    let labels = series(.search).map(\.label)
    guard labels.contains(where: filter.keeps) else { throw filter.matchesNone(of: labels) }
  }
}
