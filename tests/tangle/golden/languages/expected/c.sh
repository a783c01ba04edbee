cat <<EOF >>file
EOF
  # Go on
  cat <<-'EOF'
  EOF
