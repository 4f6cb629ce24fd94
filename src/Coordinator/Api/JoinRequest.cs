namespace Convoy.Coordinator.Api;

/// <summary>POST /api/tokens: make a token with which fresh machines join.</summary>
public sealed record TokenRequest
{
    /// <summary>Machines that it admits, 1 to 10,000.</summary>
    public int Uses { get; init; } = 1;
    /// <summary>Seconds until it admits nobody.</summary>
    public double TtlSeconds { get; init; } = 3_600;
}

/// <summary>Answer to POST /api/tokens. The token is shown this once: only a hash of it is kept.</summary>
public sealed record TokenReply
{
    public required string Token { get; init; }
    public required string Id { get; init; }
    public int Uses { get; init; }
    public DateTimeOffset Expires { get; init; }
}

/// <summary>
/// Answer to GET /api/trust: the authorities of this cluster, to be believed only when they fit a pin.
/// </summary>
public sealed record TrustReply
{
    public required string TrustPem { get; init; }
}

/// <summary>POST /api/join: sign my key. The secret proves that the machine was invited.</summary>
public sealed record JoinRequest
{
    public required string TokenId { get; init; }
    public required string Secret { get; init; }
    /// <summary>Name that the worker will have.</summary>
    public required string Name { get; init; }
    /// <summary>PKCS #10.</summary>
    public required byte[] Request { get; init; }
}

/// <summary>POST /api/renew: sign my new key for who I am.</summary>
public sealed record RenewRequest
{
    /// <summary>PKCS #10.</summary>
    public required byte[] Request { get; init; }
}

/// <summary>Answer to POST /api/join and /api/renew.</summary>
public sealed record CertificateReply
{
    public required string CertificatePem { get; init; }
    /// <summary>Authorities that are trusted now.</summary>
    public required string TrustPem { get; init; }
}
