using Convoy.Shared.Ids;

namespace Convoy.Shared.Storage;

// Who may append: the one row of the table "lease".
public sealed partial class SqliteJournal
{
    /// <summary>An append takes milliseconds: who keeps the lock for so long while its lease is over was stopped in
    /// one.</summary>
    private const int AcquireBusyMs = 1_000;

    public LeaseAnswer TryAcquire(string holder, TimeSpan life, Func<string, bool>? isGone = null)
    {
        var answer = Guarded(() =>
        {
            // A standby looks five times a second: one that was stopped with the lock would stop the leader.
            if (Refusal(isGone) is { } refusal) return refusal;
            if (!TryBegin(AcquireBusyMs)) return Locked();
            return Committed(() => Refusal(isGone) ?? Take(holder, life));
        });
        if (answer.Lease is { } lease) JournalHead.Write(_path, Guarded(CountEvents), lease.Token.Value);
        return answer;
    }

    private LeaseAnswer Take(string holder, TimeSpan life)
    {
        if (!IsSealed) SealAll();
        var token = (ReadLease()?.Token ?? 0) + 1;
        WriteLease(holder, token, Now() + (long)life.TotalMilliseconds);
        return new LeaseAnswer(new Lease(holder, new LeaderToken(token)), holder, life);
    }

    /// <summary>Who has the lease; null: it can be taken.</summary>
    private LeaseAnswer? Refusal(Func<string, bool>? isGone)
    {
        var now = Now();
        return ReadLease() is { } held && held.ExpiresMs > now && isGone?.Invoke(held.Holder) != true
            ? new LeaseAnswer(null, held.Holder, TimeSpan.FromMilliseconds(held.ExpiresMs - now)) : null;
    }

    private LeaseAnswer Locked()
    {
        var left = ReadLease() is { } held ? TimeSpan.FromMilliseconds(held.ExpiresMs - Now()) : TimeSpan.Zero;
        return new LeaseAnswer(null, ReadLease()?.Holder ?? "", left) { Locked = LockedText(_path, AcquireBusyMs) };
    }

    public bool Renew(Lease lease, TimeSpan life) => Transact(() =>
    {
        if (ReadLease() is not { } held || held.Token != lease.Token.Value) return false;
        WriteLease(held.Holder, held.Token, Now() + (long)life.TotalMilliseconds);
        return true;
    });

    public void Release(Lease lease) => Renew(lease, TimeSpan.Zero);

    private (string Holder, long Token, long ExpiresMs)? ReadLease()
    {
        using var read = Command(
            $"SELECT holder, token, expires_ms, {(IsSealed ? "seal" : "0")} FROM lease WHERE id = 1");
        using var row = read.ExecuteReader();
        if (!row.Read()) return null;
        var (holder, token, expiresMs) = (row.GetString(0), row.GetInt64(1), row.GetInt64(2));
        if (IsSealed && row.GetInt64(3) != JournalSeal.OfLease(holder, token, expiresMs)) throw Damaged(_path);
        return (holder, token, expiresMs);
    }

    private void WriteLease(string holder, long token, long expiresMs)
    {
        using var write = Command("""
            INSERT INTO lease(id, holder, token, expires_ms, seal) VALUES(1, $holder, $token, $expires, $seal)
            ON CONFLICT(id) DO UPDATE SET holder = excluded.holder, token = excluded.token,
                expires_ms = excluded.expires_ms, seal = excluded.seal
            """, ("$holder", holder), ("$token", token), ("$expires", expiresMs),
            ("$seal", JournalSeal.OfLease(holder, token, expiresMs)));
        write.ExecuteNonQuery();
    }
}
