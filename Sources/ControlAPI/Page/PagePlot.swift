import Foundation

/// A small plot as SVG, without any style of its own: the style sheet colours its classes.
struct PagePlot {
    var caption: String
    /// Markup made of numbers and of names from this file only; the template does not escape it.
    var svg: String
    /// What the plot says, in words, for those who cannot see it.
    var summary: String
    var legend: [PageLegend] = []
}

struct PageLegend {
    var swatch: String
    var title: String
}

extension PagePlot {
    /// One layer of stacked bars; `swatch` is a class: `good`, `bad`, `warn`, `one`, `two`.
    struct Layer {
        let swatch: String
        let title: String
        let values: [Double]
    }

    /// Bars side by side, layers on top of each other, scaled to the highest.
    static func bars(_ caption: String, _ layers: [Layer], summary: String) -> PagePlot {
        let count = layers.map(\.values.count).max() ?? 0
        let sums = (0..<count).map { bar in
            layers.reduce(0) { $0 + ($1.values.indices.contains(bar) ? $1.values[bar] : 0) }
        }
        let (width, height) = (600.0, 100.0)
        let highest = sums.max() ?? 0
        let scale = highest > 0 ? height / highest : 0
        let step = width / Double(max(count, 1))
        var marks = ""
        for bar in 0..<count {
            var top = height
            for layer in layers where layer.values.indices.contains(bar) {
                let tall = min(height, layer.values[bar] * scale)
                guard tall > 0.01, tall.isFinite else { continue }
                top -= tall
                marks +=
                    "<rect class=\"\(layer.swatch)\" x=\"\(short(Double(bar) * step))\" y=\"\(short(top))\" "
                    + "width=\"\(short(step * 0.85))\" height=\"\(short(tall))\"/>"
            }
        }
        return PagePlot(
            caption: caption,
            svg: "<svg viewBox=\"0 0 600 100\" preserveAspectRatio=\"none\" aria-hidden=\"true\" focusable=\"false\">"
                + "<line class=\"axis\" x1=\"0\" y1=\"100\" x2=\"600\" y2=\"100\"/>\(marks)</svg>",
            summary: summary,
            legend: layers.map { PageLegend(swatch: $0.swatch, title: $0.title) }
        )
    }

    /// A part of a line of time.
    struct Stretch {
        let swatch: String
        let from: Double
        let to: Double
    }

    /// One line from the first to the last second; short stretches stay visible.
    static func line(_ caption: String, _ stretches: [Stretch], legend: [PageLegend], summary: String) -> PagePlot {
        let start = stretches.map(\.from).min() ?? 0
        let length = max((stretches.map(\.to).max() ?? 0) - start, .leastNonzeroMagnitude)
        let marks = stretches.map { stretch -> String in
            let left = (stretch.from - start) / length * 600
            let wide = max(2, (stretch.to - stretch.from) / length * 600)
            return
                "<rect class=\"\(stretch.swatch)\" x=\"\(short(min(left, 598)))\" y=\"4\" width=\"\(short(wide))\" height=\"24\"/>"
        }
        return PagePlot(
            caption: caption,
            svg:
                "<svg class=\"line\" viewBox=\"0 0 600 32\" preserveAspectRatio=\"none\" aria-hidden=\"true\" focusable=\"false\">"
                + marks.joined() + "</svg>",
            summary: summary,
            legend: legend
        )
    }

    private static func short(_ value: Double) -> String { String(format: "%.1f", value) }
}
