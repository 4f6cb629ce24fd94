using Convoy.Shared.Security;

namespace Convoy.Shared.Tests.Security;

public class JoinTokenTests
{
    private static readonly byte[] Pin = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public void A_token_survives_as_text()
    {
        var token = JoinToken.Create(Pin);
        Assert.True(JoinToken.TryParse($" {token.ToText()}\n", out var read));
        Assert.Equal((token.Id, token.Secret, token.SecretHash), (read.Id, read.Secret, read.SecretHash));
        Assert.True(read.Pins(Pin));
        Assert.False(read.Pins([.. Pin.Reverse()]));
    }

    [Fact]
    public void Every_wrong_letter_is_noticed()
    {
        var text = JoinToken.Create(Pin).ToText();
        for (var at = 0; at < text.Length; at++)
        {
            var wrong = text[..at] + (text[at] == 'A' ? 'B' : 'A') + text[(at + 1)..];
            Assert.False(JoinToken.TryParse(wrong, out _), $"letter {at}");
        }

        Assert.False(JoinToken.TryParse(text[..^1], out _));
        Assert.False(JoinToken.TryParse("", out _));
        Assert.False(JoinToken.TryParse(new string('A', 100_000), out _));
    }

    [Fact]
    public void Nothing_shown_by_accident_has_the_secret()
    {
        var token = JoinToken.Create(Pin);
        Assert.Equal($"token {token.Id}", token.ToString());
        Assert.DoesNotContain(token.Secret, token.SecretHash, StringComparison.Ordinal);
        Assert.NotEqual(token.Id, JoinToken.Create(Pin).Id);
    }
}
