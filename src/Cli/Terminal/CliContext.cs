using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Convoy.Cli.Terminal;

/// <summary>
/// What every command is given. The rule of the streams: with <c>--json</c> standard output carries one JSON line,
/// the last one, and everything a person would read goes to standard error.
/// </summary>
internal sealed class CliContext(CliStreams streams, bool json, TimeProvider time)
{
    private static readonly JsonSerializerOptions JsonStyle = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DictionaryKeyPolicy = null,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public bool Json { get; } = json;
    public TimeProvider Time { get; } = time;
    public CliStreams Streams { get; } = streams;
    /// <summary>Live drawing is possible and wanted.</summary>
    public bool Live => Streams.Interactive && !Json;

    /// <summary>A line for people.</summary>
    public void Line(string text = "") => (Json ? Streams.Error : Streams.Out).WriteLine(text);

    /// <summary>The result for scripts: nothing without <c>--json</c>.</summary>
    public void Result(object value)
    {
        if (Json) Streams.Out.WriteLine(ToJson(value));
    }

    public static string ToJson(object value) => JsonSerializer.Serialize(value, value.GetType(), JsonStyle);
}
