package wechattest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

// Sign is the platform's signature: SHA-1 of the sorted parts.
func Sign(parts ...string) string {
	sorted := slices.Sorted(slices.Values(parts))
	sum := sha1.Sum([]byte(strings.Join(sorted, "")))
	return hex.EncodeToString(sum[:])
}

const block = 32 // of the padding; that of AES is 16

// Encrypt encrypts a message for an appid as the platform does.
func Encrypt(message, appID, aesKey string) (string, error) {
	key, err := base64.StdEncoding.DecodeString(aesKey + "=")
	if err != nil {
		return "", err
	}
	plain := make([]byte, 16, 20+len(message)+len(appID)+block)
	if _, err := rand.Read(plain); err != nil {
		return "", err
	}
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(message)))
	plain = append(append(plain, message...), appID...)
	pad := block - len(plain)%block
	for range pad {
		plain = append(plain, byte(pad))
	}
	cipherBlock, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	cipher.NewCBCEncrypter(cipherBlock, key[:16]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain), nil
}

// Decrypt undoes Encrypt and checks every byte of the padding, and the appid.
func Decrypt(text, appID, aesKey string) (string, error) {
	key, err := base64.StdEncoding.DecodeString(aesKey + "=")
	if err != nil {
		return "", err
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", err
	}
	if len(data) == 0 || len(data)%block != 0 {
		return "", errors.New("not whole blocks")
	}
	cipherBlock, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	cipher.NewCBCDecrypter(cipherBlock, key[:16]).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad < 1 || pad > block {
		return "", errors.New("bad padding")
	}
	for _, b := range data[len(data)-pad:] {
		if int(b) != pad {
			return "", errors.New("bad padding")
		}
	}
	data = data[:len(data)-pad]
	if len(data) < 20 {
		return "", errors.New("too short")
	}
	n := int(binary.BigEndian.Uint32(data[16:20]))
	if n > len(data)-20 {
		return "", errors.New("bad length")
	}
	if string(data[20+n:]) != appID {
		return "", errors.New("for another appid")
	}
	return string(data[20 : 20+n]), nil
}
