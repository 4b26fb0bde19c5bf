import Record

// The report in Markdown: the answer, one table, correctness and conditions in lines, and what the words mean.
extension RunReport {
  /// `report.md`
  public var markdown: String { document.markdown }

  var document: Document {
    Document(
      title: title, opening: [.warnings(run.warnings + [validity.warning].compactMap { $0 })] + answer,
      sections: record.isProfileAlone
        ? [profiles, validity(saysHow: false), circumstances, method]
        : [everyCell(), correctnessInShort, validity(saysHow: false), circumstances, words])
  }

  /// The verdict, and folded a row for each variant.
  private var correctnessInShort: Section? {
    let entries = record.correctness
    let summaries = entries.map(\.variant).uniqued().map { variant in
      CheckSummary(variant: variant, entries: entries.filter { $0.variant == variant })
    }
    let summary = "\(counted(entries.count, "check")), each variant against each reference"
    return Section(
      id: "correctness", title: "Correctness",
      entries.isEmpty
        ? [.paragraph("No variant was checked against a reference in this run.")]
        : [
          .paragraph(verdict),
          .details(
            summary, [.table(Table(CheckSummary.columns(of: entries), summaries))],
            isOpen: entries.contains { !$0.passed }
          ),
        ])
  }

  /// What the machine is, how samples were taken, and the command.
  private var circumstances: Section? {
    let counters = record.countersUnavailable.map { [("Counters", "none: \($0)" as Prose)] } ?? []
    let machine = (properties + ceilings + counters).map { "**\($0):** \($1)" as Prose }
    let others: Prose =
      record.isProfileAlone
      ? ""
      : "`report.html` has the charts and all figures, `results.csv`, `samples.csv` and `profile.csv` the same for programs."
    return Section(
      id: "conditions", title: "Conditions",
      [
        .details("The machine, the build and the model", [.list(machine)]),
        .details("How samples were taken", [.list(record.isProfileAlone ? [] : sampling)]),
      ] + (record.isProfileAlone ? [] : peers + repetition) + [.paragraph(others)])
  }

  /// The roofs in a line for each number of threads.
  private var ceilings: [(String, Prose)] {
    record.ceilings.map { ceiling in
      let peak = "\(NumberText.significant(ceiling.computeRoof)) GFLOP/s of float32 FMA"
      let remarks = (ceiling.memory ?? []).compactMap { level in level.remark.map { "\(level.level): \($0)" }
      }
      let products = (ceiling.products ?? []).map {
        "\(NumberText.significant($0.roof)) Gop/s of \($0.words)"
      }
      let words =
        ["\(([peak] + products).joined(separator: ", ")), reads of \(RooflineChart.name(ceiling.slopes))"]
        + remarks
      return ("At most, \(counted(ceiling.threads, "thread"))", Prose(words.joined(separator: "; ")))
    }
  }

  /// The words of the table in a line each; the manual has the formulas.
  private var words: Section? {
    Section(
      id: "words", title: "What the words mean",
      [
        .list(
          record.kind == .endToEnd
            ? Self.shortDefinitions + trainingDefinition + qualityDefinition + narrowWeights + narrowCache
            : definitions),
        .paragraph(
          "\(Prose.link("reports/README.md", to: "../README.md#definitions")) has every formula, and says how it is measured."
        ),
      ])
  }

  private static let shortDefinitions: [Prose] = [
    """
    **Tests.** `pp64`: a prompt of 64 tokens. `tg32 @ d64`: 32 new tokens after a prompt of 64. `b4`: four texts at once.
    """,
    """
    **TTFT**: the time to the first token. **Prefill**: tokens of the prompt ÷ the time of its pass. **Decode**: new tokens \
    after the first ÷ their time. **TPOT**: time per output token. **ITL**: the gaps between tokens, of all samples.
    """,
    """
    **% of the roofline**: the least time that this machine's ceilings allow ÷ the time that it took. **Roof**: what sets \
    that least time, compute or the named memory.
    """,
    """
    **Speed against naive**: `naive`'s time ÷ the row's. **Peak memory**: the most that the process had resident.
    """,
    """
    **A figure** is a median, in the digits that its 95 % interval supports. ± is that interval; where its ends are not as \
    far from the median, they stand in parentheses. An empty field: there is no figure.
    """,
    "**Samples**: `3 of 10` means that the cell had used up its time before it had all of them.",
  ]
}

/// All checks of a variant together.
private struct CheckSummary: Sendable {
  let variant: String
  let entries: [Correctness]

  /// The check whose error comes nearest to its tolerance.
  private var nearest: Correctness? {
    entries.filter { $0.tolerance > 0 && $0.maxAbsoluteError != nil }
      .max { ($0.maxAbsoluteError ?? 0) / $0.tolerance < ($1.maxAbsoluteError ?? 0) / $1.tolerance }
  }

  /// - Parameter all: the checks of all variants.
  static func columns(of all: [Correctness]) -> [Column<CheckSummary>] {
    let errors: [Column<CheckSummary>] = [
      Column("variant", .prose { .code($0.variant) }), Column("checks", .integer { $0.entries.count }),
      Column("max abs error", style: .scientific, .number { $0.nearest?.maxAbsoluteError }),
      Column("tolerance", style: .scientific, .number { $0.nearest?.tolerance }),
      Column("nearest to its tolerance", .text { $0.nearest?.reference }),
      Column(
        "argmax agreement", alignment: .right,
        .text { summary in
          let compared = summary.entries.reduce(0) { $0 + $1.argmaxCompared }
          return compared > 0 ? "\(summary.entries.reduce(0) { $0 + $1.argmaxAgreed })/\(compared)" : nil
        }),
    ]
    let verdict = Column<CheckSummary>(
      "verdict",
      .text { summary in
        let failed = summary.entries.filter { !$0.passed }
        return failed.isEmpty ? "pass" : "FAIL: " + failed.map(\.reason).joined(separator: "; ")
      }, isBad: { $0.entries.contains { !$0.passed } })
    let quality: [Column<CheckSummary>] =
      all.haveQuality ? Column.quality { QualityFigures($0.entries) } : []
    return errors + quality + [verdict]
  }
}
