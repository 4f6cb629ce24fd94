// Join tokens: who was given one, what it was used for. Pure: events in, verdicts out; the journal has the events.
// TK-1  A token admits no more keys than its uses; the same key again is the same use (an answer may have been lost).
// TK-2  After its time a token admits nobody, not even a key that it admitted before.
// TK-3  The secret is never kept: only its hash.
using System.Security.Cryptography;
using System.Text;
using Convoy.Shared.Security;

namespace Convoy.Coordinator.Security;

/// <summary>What the journal keeps of tokens. Names and fields are part of its format.</summary>
internal abstract record TokenEvent(string Id);

internal sealed record TokenCreated(string Id, string SecretHash, int Uses, DateTimeOffset Expires) : TokenEvent(Id);

/// <summary>A certificate is about to be handed out: durable before it is.</summary>
internal sealed record TokenUsed(string Id, string Key, string Node) : TokenEvent(Id);

internal sealed class TokenLedger
{
    /// <summary>Tokens that have expired are forgotten when a new one needs the room.</summary>
    public const int TokensMax = 1_000;
    public const int UsesMax = 10_000;
    public static readonly TimeSpan LifeMax = TimeSpan.FromDays(30);

    private readonly List<Token> _tokens = [];

    public int Count => _tokens.Count;

    public void Apply(TokenEvent happened)
    {
        switch (happened)
        {
            case TokenCreated e: _tokens.Add(new Token(e)); break;
            case TokenUsed e: Find(e.Id)?.Keys.Add(e.Key); break;
            default: throw Shared.Invariant.Unhandled(happened);
        }
    }

    /// <summary>Why no such token can be made, or null.</summary>
    public string? IgnoreCreate(int uses, TimeSpan life, DateTimeOffset now)
    {
        if (uses is < 1 or > UsesMax) return $"uses {uses}: 1 to {UsesMax} are possible";
        if (life < TimeSpan.FromSeconds(1) || life > LifeMax)
            return $"a token lives from 1 s to {LifeMax.TotalDays:0} days";
        if (_tokens.Count >= TokensMax) _tokens.RemoveAll(t => now >= t.Created.Expires);
        return _tokens.Count >= TokensMax ? $"there are {TokensMax} tokens that have not expired" : null;
    }

    /// <summary>Why a machine is not admitted, or null.</summary>
    /// <param name="id">Names the token.</param>
    /// <param name="secret">What the machine says.</param>
    /// <param name="key">Fingerprint of its public key.</param>
    /// <param name="now">The time.</param>
    public string? IgnoreUse(string id, string secret, string key, DateTimeOffset now)
    {
        var token = Find(id);
        // The same words for a wrong id and a wrong secret, and the same work: a stranger learns nothing.
        var right = CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(JoinToken.HashOf(secret)),
            Encoding.ASCII.GetBytes(token?.Created.SecretHash ?? new string('0', 64)));
        if (token is null || !right) return "this cluster knows no such token";
        if (now >= token.Created.Expires)
            return $"token {id} expired on {token.Created.Expires.UtcDateTime:yyyy-MM-dd HH:mm} UTC";
        if (token.Keys.Contains(key) || token.Keys.Count < token.Created.Uses) return null;
        return $"token {id} is used up ({token.Keys.Count} of {token.Created.Uses} uses)";
    }

    /// <summary>Whether this key was admitted before: then nothing new is recorded.</summary>
    public bool IsRepeat(string id, string key) => Find(id)?.Keys.Contains(key) == true;

    private Token? Find(string id) => _tokens.Find(t => t.Created.Id == id);

    private sealed class Token(TokenCreated created)
    {
        public TokenCreated Created => created;

        public List<string> Keys { get; } = [];
    }
}
