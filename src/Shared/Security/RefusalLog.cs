using Convoy.Shared.Time;

namespace Convoy.Shared.Security;

/// <summary>
/// Says a refusal once for each address and reason, counts the next ones, and says the count at most once a minute: a
/// flood of bad connections costs neither disk nor memory. Not thread-safe: its owner has a lock.
/// </summary>
public sealed class RefusalLog(Action<string> say)
{
    public const int PairsMax = 1_024;
    private const int TextMax = 400;
    private static readonly TimeSpan SayAgainAfter = TimeSpan.FromMinutes(1);

    private readonly Dictionary<(string Host, string Why), Said> _said = [];

    public int PairsCount => _said.Count;

    /// <param name="host">The address, as the party that is counted.</param>
    /// <param name="why">One of few fixed words.</param>
    /// <param name="text">For people; may have parts that the peer chose.</param>
    /// <param name="now">The time.</param>
    public void Note(string host, string why, string text, Instant now)
    {
        if (!_said.TryGetValue((host, why), out var said))
        {
            if (_said.Count >= PairsMax) ForgetOldest();
            _said.Add((host, why), new Said { At = now });
            say($"refused {host} ({why}): {Cleaned(text)}; more of the same from there are counted");
            return;
        }

        said.Unsaid++;
        if (now - said.At < SayAgainAfter) return;
        say($"refused {host} ({why}) another {said.Unsaid} times in {(now - said.At).TotalSeconds:0} s");
        (said.At, said.Unsaid) = (now, 0);
    }

    // A peer chooses parts of the text: it gets no lines of its own in our log.
    internal static string Cleaned(string text)
    {
        if (text.Length > TextMax) text = text[..TextMax];
        return string.Create(text.Length, text, static (to, from) =>
        {
            for (var i = 0; i < to.Length; i++) to[i] = char.IsControl(from[i]) || from[i] is '\u2028' or '\u2029'
                ? '?' : from[i];
        });
    }

    private void ForgetOldest()
    {
        var oldest = _said.MinBy(s => s.Value.At).Key;
        _said.Remove(oldest);
    }

    private sealed class Said
    {
        public Instant At;
        public long Unsaid;
    }
}
