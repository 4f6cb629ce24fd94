using System.Globalization;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// The text of a contraction, and what its author wrote: "..." is replaced by letters before it is read, but errors
/// point at the author's character.
/// </summary>
/// <param name="Text">The text that is read.</param>
/// <param name="Written">What the author wrote; the text itself unless given.</param>
/// <param name="Places">For each character of the text its place in what was written.</param>
internal sealed record EinsumSource(string Text, string? Written = null, IReadOnlyList<int>? Places = null)
{
    public ShapeException Wrong(int at, string what)
    {
        if (Text.Length == 0) return Wrong($"the empty text {what}");
        var written = Written ?? Text;
        var place = Places?[at] ?? at;
        return Wrong(string.Create(
            CultureInfo.InvariantCulture, $"character {place + 1} '{written[place]}' {what}"));
    }

    public ShapeException Wrong(string what) =>
        new($"einsum \"{Written ?? Text}\": {what}", ErrorCode.EinsumSpec);
}
