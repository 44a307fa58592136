using System.Security.Cryptography;

namespace TinyLlm.Grains.Users;

/// <summary>Ids that name things in URLs and mean nothing: 95 bits, so that they neither collide nor can be guessed.</summary>
internal static class RandomId
{
    private const string Base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static string New(string prefix) => prefix + RandomNumberGenerator.GetString(Base62, 16);
}
