import Foundation
import Record
import TestSupport
import Testing

@testable import Reporting

/// A journal is read from a file that anybody may have written.
struct TrainingJournalTests {
  private func journal(
    validation: Double = 0.1, every: (Int, Int) = (5, 0), prompt: [Int] = [1, 9],
    _ history: TrainingHistory = TrainingHistoryTests.history(3), sample: Int = 3
  ) -> TrainingJournal {
    var journal = TrainingJournal(
      command: ["train"], data: "/a", validation: validation, model: nil, variant: "packed",
      evaluateEvery: every.0, checkpointEvery: every.1, prompt: prompt)
    journal.history = history
    journal.samples = [TrainingReport.Sample(step: sample, text: "a")]
    return journal
  }

  private func refusal(_ journal: TrainingJournal, steps: Int = 3) -> String? {
    do {
      try journal.check(source: "o/s", steps: steps, vocabulary: 10, context: 4)
      return nil
    } catch { return "\(error)" }
  }

  @Test func whatATrainingWritesIsTaken() throws {
    expectNil(refusal(journal()))
    expectNil(refusal(journal(validation: 0, every: (0, 0), prompt: [0, 1, 2, 3], sample: 0)))
    let back = try JSONDecoder().decode(TrainingJournal.self, from: JSONEncoder().encode(journal()))
    expectEqual(back.history, journal().history)
    expectEqual(back.samples, journal().samples)
    expectNil(back.lacksEvaluation)
  }

  @Test func onlyAStepCanLackItsEvaluation() {
    for (history, steps) in [(TrainingHistoryTests.history(3), 3), (TrainingHistory(), 0)] {
      var ended = journal(history, sample: 0)
      expectNil(refusal(ended, steps: steps))
      ended.lacksEvaluation = true
      let expected =
        steps > 0
        ? nil : "o/s: journal.json: lacksEvaluation: found true, expected a step before it"
      expectEqual(refusal(ended, steps: steps), expected)
    }
  }

  @Test func whatItCannotHaveWrittenIsNamed() {
    let cases: [(TrainingJournal, String)] = [
      (journal(validation: 1), "validation: found 1.0, expected a share from 0 to below 1"),
      (journal(validation: -0.5), "validation: found -0.5, expected"),
      (journal(every: (-1, 0)), "evaluateEvery: found -1, expected an integer of at least 0"),
      (journal(every: (0, -9)), "checkpointEvery: found -9, expected an integer of at least 0"),
      (journal(prompt: []), "prompt: found 0 ids, expected 1 to 4, the model's context"),
      (journal(prompt: [1, 2, 3, 4, 5]), "prompt: found 5 ids, expected"),
      (journal(prompt: [3, 10]), "prompt[1]: found 10, expected an integer in 0...9"),
      (journal(prompt: [-1]), "prompt[0]: found -1, expected"),
      (journal(sample: 4), "samples[0].step: found 4, expected an integer in 0...3"),
      (
        journal(TrainingHistoryTests.history(2)),
        "history.rows: found 2 steps, expected the 3 of the checkpoint"
      ),
    ]
    for (journal, says) in cases {
      expectEqual(
        refusal(journal)?.hasPrefix("o/s: journal.json: \(says)"), true, "\(refusal(journal) ?? "taken")")
    }
  }

  @Test func aRowThatNoStepMade() {
    func row(
      step: Int = 2, loss: Double = 7, validation: Double? = nil, norm: Double = 1, seconds: Double = 0.5
    ) -> String? {
      var history = TrainingHistoryTests.history(3)
      history.rows[1] = TrainingHistory.Row(
        step: step, loss: loss, validation: validation, learningRate: 1, gradientNorm: norm,
        tokensPerSecond: 1, seconds: seconds)
      return refusal(journal(history))
    }
    expectNil(row())
    let place = "o/s: journal.json: history.rows[1]."
    let cases: [(String?, String)] = [
      (row(step: .max), "step: found \(Int.max), "), (row(loss: 1e300), "loss: found 1e+300, "),
      (row(loss: .nan), "loss: found nan, "), (row(validation: .infinity), "validation: found inf, "),
      (row(norm: -1), "gradientNorm: found -1.0, "),
      (row(seconds: 0.1), "seconds: found 0.1, expected a number from 0.25"),
      (row(seconds: 1e30), "seconds: found 1e+30, "),
    ]
    for (found, says) in cases {
      expectEqual(found?.hasPrefix(place + says), true, "\(found ?? "taken")")
    }
  }
}
