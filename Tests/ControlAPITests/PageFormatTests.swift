import Testing

@testable import ControlAPI

@Suite struct PageFormatTests {
    @Test(
        arguments: [
            (0, "0/s"), (1234.5, "1\u{202F}235/s"), (12.5, "12.5/s"), (0.1, "0.1/s"), (0.05, "3/min"),
            (1 / 300, "0.2/min"),
            (1 / 3600, "1/h"),
        ] as [(Double, String)]
    )
    func aRateIsWrittenInTheUnitInWhichItCanBeRead(_ perSecond: Double, _ text: String) {
        #expect(PageFormat.rate(perSecond) == text)
    }

    @Test func noRateIsNoText() { #expect(PageFormat.rate(nil) == nil) }
}
