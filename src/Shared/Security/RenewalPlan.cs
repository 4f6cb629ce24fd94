namespace Convoy.Shared.Security;

/// <summary>When a certificate is renewed. Pure: times come in.</summary>
public static class RenewalPlan
{
    private static readonly TimeSpan RetryMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryMax = TimeSpan.FromHours(1);
    private static readonly TimeSpan LookMax = TimeSpan.FromHours(12);

    /// <summary>
    /// How long to wait before the renewal: until two thirds of the certificate's time are over, so that a coordinator
    /// that is away for a while costs nothing. Zero: now. At most 12 hours, because clocks and files may change
    /// meanwhile.
    /// </summary>
    public static TimeSpan Wait(NodeCredential credential, DateTimeOffset now)
    {
        var wait = credential.Expires - (credential.Expires - credential.Issued) / 3 - now;
        return wait <= TimeSpan.Zero ? TimeSpan.Zero : wait < LookMax ? wait : LookMax;
    }

    /// <summary>
    /// How long to wait after a renewal that failed: a tenth of what is left, from a second to an hour.
    /// </summary>
    public static TimeSpan Retry(NodeCredential credential, DateTimeOffset now)
    {
        var tenth = (credential.Expires - now) / 10;
        return tenth < RetryMin ? RetryMin : tenth > RetryMax ? RetryMax : tenth;
    }
}
